-- migrate:up

-- As what WhatsApp counts a message and whether it charges for it, as receipts tell: NULL until one does. A word of WhatsApp's.
ALTER TABLE messages ADD COLUMN is_billable boolean, ADD COLUMN price_category text;

-- What WhatsApp announced of accounts, numbers and templates of ours, to be shown. Nothing of contacts: only words this version
-- knows are kept of a value, without long numbers.
CREATE TABLE account_events (
    id uuid NOT NULL DEFAULT uuidv7(),
    whatsapp_account_id text NOT NULL,
    topic text NOT NULL,
    event text NOT NULL,
    value jsonb NOT NULL,
    event_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_events_pkey PRIMARY KEY (id)
);

-- WhatsApp may tell it again.
CREATE UNIQUE INDEX account_events_told_idx ON account_events (whatsapp_account_id, topic, event_time, md5(value::text));

-- When a template was announced to have other texts, until a sync brings them.
ALTER TABLE templates ADD COLUMN outdated_time timestamptz;

CREATE INDEX templates_outdated_idx ON templates (whatsapp_account_id) WHERE outdated_time IS NOT NULL;

-- migrate:down
DROP INDEX templates_outdated_idx;
ALTER TABLE templates DROP COLUMN outdated_time;
DROP TABLE account_events;
ALTER TABLE messages DROP COLUMN price_category, DROP COLUMN is_billable;
