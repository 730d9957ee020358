-- migrate:up

-- traces: whom a body tells of, as keyed hashes (core/domain/traces.py) of contacts and of what identifies people; NULL until
-- it was applied. Erasing a person finds by them the bodies to redact. unknown: how many things of which kind were not
-- understood. is_urgent: a person may say stop in it, so it does not wait behind receipts. replay_time: when someone had it
-- applied again.
ALTER TABLE webhook_deliveries
    ADD COLUMN traces bigint[],
    ADD COLUMN unknown jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN is_urgent boolean NOT NULL DEFAULT false,
    ADD COLUMN replay_time timestamptz;

CREATE INDEX webhook_deliveries_traces_idx ON webhook_deliveries USING gin (traces);
CREATE INDEX webhook_deliveries_untraced_idx ON webhook_deliveries (id) WHERE apply_time IS NOT NULL AND traces IS NULL;
CREATE INDEX webhook_deliveries_urgent_idx ON webhook_deliveries (id) WHERE apply_time IS NULL AND is_urgent;
CREATE INDEX webhook_deliveries_strange_idx ON webhook_deliveries (id) WHERE error <> '' OR unknown <> '{}';

-- Whom a parked receipt tells of, so that erasure finds it.
ALTER TABLE parked_receipts ADD COLUMN traces bigint[] NOT NULL DEFAULT '{}';

-- Whom we were told to forget, as keyed hashes, kept a little longer than WhatsApp goes on telling of the past: what comes
-- late about them is not kept either.
CREATE TABLE erased_people (
    trace bigint NOT NULL,
    erase_time timestamptz NOT NULL,
    CONSTRAINT erased_people_pkey PRIMARY KEY (trace)
);

CREATE INDEX erased_people_erase_time_idx ON erased_people (erase_time);

-- migrate:down
DROP TABLE erased_people;
ALTER TABLE parked_receipts DROP COLUMN traces;
DROP INDEX webhook_deliveries_strange_idx;
DROP INDEX webhook_deliveries_urgent_idx;
DROP INDEX webhook_deliveries_untraced_idx;
DROP INDEX webhook_deliveries_traces_idx;
ALTER TABLE webhook_deliveries
    DROP COLUMN replay_time,
    DROP COLUMN is_urgent,
    DROP COLUMN unknown,
    DROP COLUMN traces;
