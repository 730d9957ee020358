-- migrate:up

-- Keys of callers. Only the SHA-256 of a key is kept; key_prefix is its first characters, to tell keys apart.
CREATE TABLE api_keys (
    id uuid NOT NULL DEFAULT uuidv7(),
    display_name text NOT NULL DEFAULT '',
    role text NOT NULL,
    key_prefix text NOT NULL,
    key_hash bytea NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    expire_time timestamptz,
    revoke_time timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_role_check CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN'))
);

-- Replies to mutations by request id, kept 24 h: the same call again gets the same reply. contact_id marks replies
-- that hold a person's data, which erasure removes.
CREATE TABLE idempotent_requests (
    api_key_id uuid NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    request_digest bytea NOT NULL,
    reply bytea,
    contact_id uuid,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotent_requests_pkey PRIMARY KEY (api_key_id, method, request_id)
);

CREATE INDEX idempotent_requests_create_time_idx ON idempotent_requests (create_time);
CREATE INDEX idempotent_requests_contact_id_idx ON idempotent_requests (contact_id) WHERE contact_id IS NOT NULL;

-- Who changed what: one row per successful mutation. resource_name is a path of ids, never a person's data.
CREATE TABLE audit_events (
    id uuid NOT NULL DEFAULT uuidv7(),
    api_key_id uuid NOT NULL,
    method text NOT NULL,
    resource_name text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    event_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_events_pkey PRIMARY KEY (id)
);

CREATE INDEX audit_events_resource_name_idx ON audit_events (resource_name, id);

-- migrate:down
DROP TABLE audit_events;
DROP TABLE idempotent_requests;
DROP TABLE api_keys;
