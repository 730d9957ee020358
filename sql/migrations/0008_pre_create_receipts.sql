-- migrate:up

-- Webhook bodies exactly as received, appended before the 200, applied by workers, kept seven days for replay.
CREATE TABLE webhook_deliveries (
    id uuid NOT NULL DEFAULT uuidv7(),
    body bytea NOT NULL,
    receive_time timestamptz NOT NULL DEFAULT now(),
    attempt integer NOT NULL DEFAULT 0,
    apply_time timestamptz,
    error text NOT NULL DEFAULT '',
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id)
);

CREATE INDEX webhook_deliveries_unapplied_idx ON webhook_deliveries (id) WHERE apply_time IS NULL;

-- A row per second in which the webhook door answered: the evidence that silence about a message means something.
CREATE TABLE webhook_heartbeats (
    beat_time timestamptz NOT NULL,
    CONSTRAINT webhook_heartbeats_pkey PRIMARY KEY (beat_time)
);

-- Receipts whose message row was not there (yet): tried again until expire_time.
CREATE TABLE parked_receipts (
    id uuid NOT NULL DEFAULT uuidv7(),
    delivery_id uuid NOT NULL,
    receipt jsonb NOT NULL,
    try_count integer NOT NULL DEFAULT 0,
    not_before_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT parked_receipts_pkey PRIMARY KEY (id)
);

CREATE INDEX parked_receipts_due_idx ON parked_receipts (not_before_time);

-- What a person did: replies, button clicks, reactions. Unique by WhatsApp's id for it.
CREATE TABLE interactions (
    id uuid NOT NULL DEFAULT uuidv7(),
    whatsapp_message_id text,
    sender_id uuid NOT NULL,
    contact_id uuid,
    campaign_id uuid,
    message_id uuid,
    kind text NOT NULL,
    text text NOT NULL DEFAULT '',
    payload jsonb NOT NULL DEFAULT '{}',
    interaction_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT interactions_pkey PRIMARY KEY (id),
    CONSTRAINT interactions_whatsapp_message_id_key UNIQUE (whatsapp_message_id),
    CONSTRAINT interactions_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES senders (id),
    CONSTRAINT interactions_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL,
    CONSTRAINT interactions_kind_check CHECK (kind IN ('TEXT', 'BUTTON', 'REACTION', 'MEDIA', 'LOCATION', 'CONTACTS', 'ORDER', 'OTHER'))
);

CREATE INDEX interactions_message_id_idx ON interactions (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX interactions_campaign_id_time_idx ON interactions (campaign_id, interaction_time, id) WHERE campaign_id IS NOT NULL;
CREATE INDEX interactions_contact_id_idx ON interactions (contact_id, id);

-- migrate:down
DROP TABLE interactions;
DROP TABLE parked_receipts;
DROP TABLE webhook_heartbeats;
DROP TABLE webhook_deliveries;
