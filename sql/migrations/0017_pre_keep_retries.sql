-- migrate:up

-- Retries of failed messages that are too many for one transaction: what is left of each, for whoever goes on with it.
CREATE TABLE retries (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    campaign_id uuid NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    error_codes integer[] NOT NULL,
    after_message_id uuid NOT NULL
);

CREATE INDEX retries_campaign_id_idx ON retries (campaign_id);

-- migrate:down
DROP TABLE retries;
