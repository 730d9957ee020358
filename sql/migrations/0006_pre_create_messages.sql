-- migrate:up

-- One template to one contact in one campaign: the truth about what was sent and what became of it.
-- campaign_id is in every key, so that RANGE (campaign_id) can make partitions by month (UUIDv7 is time).
-- attempt counts claims and fences what a late worker writes; retry_count counts only the tries that burn one.
-- occurrence is 1 in a BULK campaign (one message per contact) and NULL in a DIRECT one (as many as are asked for).
-- There is no foreign key to campaigns: only drafts are ever deleted, and a draft has no messages.
CREATE TABLE messages (
    campaign_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT uuidv7(),
    contact_id uuid,
    sender_id uuid NOT NULL,
    template_id uuid,
    occurrence integer,
    attempt integer NOT NULL DEFAULT 0,
    retry_count integer NOT NULL DEFAULT 0,
    error_code integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'PENDING',
    reason text NOT NULL DEFAULT '',
    error_title text NOT NULL DEFAULT '',
    parameters jsonb,
    whatsapp_message_id text,
    not_before_time timestamptz NOT NULL DEFAULT now(),
    lease_expire_time timestamptz,
    doubt_time timestamptz,
    create_time timestamptz NOT NULL DEFAULT now(),
    accept_time timestamptz,
    send_time timestamptz,
    deliver_time timestamptz,
    read_time timestamptz,
    fail_time timestamptz,
    CONSTRAINT messages_pkey PRIMARY KEY (campaign_id, id),
    CONSTRAINT messages_recipient_key UNIQUE (campaign_id, contact_id, occurrence),
    CONSTRAINT messages_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id),
    CONSTRAINT messages_state_check CHECK (state IN ('PENDING', 'SENDING', 'ACCEPTED', 'HELD', 'SENT', 'DELIVERED', 'READ', 'FAILED', 'SKIPPED', 'CANCELLED', 'UNCONFIRMED')),
    CONSTRAINT messages_lease_check CHECK (state <> 'SENDING' OR lease_expire_time IS NOT NULL),
    -- None can stay in doubt for ever: every doubt has the time it began.
    CONSTRAINT messages_doubt_check CHECK (state <> 'UNCONFIRMED' OR doubt_time IS NOT NULL)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX messages_campaign_id_state_idx ON messages (campaign_id, state, id);
CREATE INDEX messages_contact_id_idx ON messages (contact_id, id);
CREATE INDEX messages_claim_idx ON messages (campaign_id, not_before_time, id) WHERE state = 'PENDING';
CREATE INDEX messages_lease_idx ON messages (lease_expire_time) WHERE state = 'SENDING';
CREATE INDEX messages_doubt_idx ON messages (doubt_time) WHERE state = 'UNCONFIRMED';
CREATE INDEX messages_whatsapp_message_id_idx ON messages (whatsapp_message_id) WHERE whatsapp_message_id IS NOT NULL;
CREATE INDEX messages_send_time_idx ON messages (send_time) WHERE send_time IS NOT NULL;

-- An attempt that a newer one replaced. A receipt for it that comes after the newer send proves a double: accept_time
-- is then set, the row counted and shown.
CREATE TABLE message_attempts (
    campaign_id uuid NOT NULL,
    message_id uuid NOT NULL,
    attempt integer NOT NULL,
    whatsapp_message_id text,
    supersede_time timestamptz NOT NULL DEFAULT now(),
    accept_time timestamptz,
    CONSTRAINT message_attempts_pkey PRIMARY KEY (campaign_id, message_id, attempt),
    CONSTRAINT message_attempts_message_fkey FOREIGN KEY (campaign_id, message_id) REFERENCES messages (campaign_id, id)
);

CREATE INDEX message_attempts_whatsapp_message_id_idx ON message_attempts (whatsapp_message_id) WHERE whatsapp_message_id IS NOT NULL;
CREATE INDEX message_attempts_doubled_idx ON message_attempts (campaign_id, message_id) WHERE accept_time IS NOT NULL;

-- One lease per (sender, slot): who pumps that sender's messages now.
CREATE TABLE pumps (
    sender_id uuid NOT NULL,
    slot integer NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    lease_expire_time timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT pumps_pkey PRIMARY KEY (sender_id, slot),
    CONSTRAINT pumps_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES senders (id) ON DELETE CASCADE
);

-- migrate:down
DROP TABLE pumps;
DROP TABLE message_attempts;
DROP TABLE messages;
