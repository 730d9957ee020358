-- migrate:up

-- When a body that could not be applied is tried again; NULL where it never failed. It stands in lanes of its own, so that
-- those that did not fail are claimed as before.
ALTER TABLE webhook_deliveries ADD COLUMN retry_time timestamptz;

CREATE INDEX webhook_deliveries_retry_idx ON webhook_deliveries (retry_time) WHERE apply_time IS NULL AND retry_time IS NOT NULL;

-- What is set aside may hold receipts: silence of messages claimed before it came proves nothing. What nobody can read is
-- set aside without a second try, and holds none.
CREATE INDEX webhook_deliveries_aside_idx ON webhook_deliveries (receive_time)
WHERE retry_time IS NOT NULL AND error <> '' AND apply_time IS NOT NULL;

-- migrate:down
DROP INDEX webhook_deliveries_aside_idx;
DROP INDEX webhook_deliveries_retry_idx;
ALTER TABLE webhook_deliveries DROP COLUMN retry_time;
