-- migrate:up

-- One of our own WhatsApp numbers. credential_reference names where the access token is kept (an environment variable);
-- the token itself is never in the database.
CREATE TABLE senders (
    id uuid NOT NULL DEFAULT uuidv7(),
    display_name text NOT NULL DEFAULT '',
    phone_number_id text NOT NULL,
    whatsapp_account_id text NOT NULL,
    phone_number text NOT NULL DEFAULT '',
    verified_name text NOT NULL DEFAULT '',
    credential_reference text NOT NULL DEFAULT 'CHAPPE_WHATSAPP_ACCESS_TOKEN',
    state text NOT NULL DEFAULT 'ACTIVE',
    pause_reason text NOT NULL DEFAULT '',
    quality text NOT NULL DEFAULT 'UNKNOWN',
    throughput_level text NOT NULL DEFAULT 'STANDARD',
    messaging_limit text NOT NULL DEFAULT '',
    messages_per_second double precision NOT NULL DEFAULT 80,
    refresh_time timestamptz,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT senders_pkey PRIMARY KEY (id),
    CONSTRAINT senders_phone_number_id_key UNIQUE (phone_number_id),
    CONSTRAINT senders_state_check CHECK (state IN ('ACTIVE', 'PAUSED')),
    CONSTRAINT senders_quality_check CHECK (quality IN ('UNKNOWN', 'GREEN', 'YELLOW', 'RED')),
    CONSTRAINT senders_throughput_level_check CHECK (throughput_level IN ('STANDARD', 'HIGH', 'NOT_APPLICABLE')),
    CONSTRAINT senders_messages_per_second_check CHECK (messages_per_second > 0 AND messages_per_second <= 1000)
);

CREATE INDEX senders_whatsapp_account_id_idx ON senders (whatsapp_account_id);

-- Until when a contact may be sent free-form messages from a sender: 24 h after they last wrote.
CREATE TABLE service_windows (
    contact_id uuid NOT NULL,
    sender_id uuid NOT NULL,
    expire_time timestamptz NOT NULL,
    CONSTRAINT service_windows_pkey PRIMARY KEY (contact_id, sender_id),
    CONSTRAINT service_windows_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE CASCADE,
    CONSTRAINT service_windows_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES senders (id) ON DELETE CASCADE
);

CREATE INDEX service_windows_sender_id_idx ON service_windows (sender_id);

-- migrate:down
DROP TABLE service_windows;
DROP TABLE senders;
