-- migrate:up

-- ANALYZE keeps samples of each column, also of people's words in those that no condition is ever put on: an erased person's
-- would stay in them until the next one.
ALTER TABLE webhook_deliveries ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE parked_receipts ALTER COLUMN receipt SET STATISTICS 0;
ALTER TABLE interactions ALTER COLUMN text SET STATISTICS 0, ALTER COLUMN payload SET STATISTICS 0;
ALTER TABLE messages ALTER COLUMN parameters SET STATISTICS 0;
ALTER TABLE contacts ALTER COLUMN attributes SET STATISTICS 0;
ALTER TABLE consent_events ALTER COLUMN evidence SET STATISTICS 0;
ALTER TABLE idempotent_requests ALTER COLUMN reply SET STATISTICS 0;

-- What was sampled before goes now.
SELECT pg_clear_attribute_stats('public', sampled.relation, sampled.attribute, false)
FROM (
    VALUES
    ('webhook_deliveries', 'body'), ('parked_receipts', 'receipt'), ('interactions', 'text'), ('interactions', 'payload'),
    ('messages', 'parameters'), ('contacts', 'attributes'), ('consent_events', 'evidence'), ('idempotent_requests', 'reply')
) AS sampled (relation, attribute);

-- migrate:down
ALTER TABLE idempotent_requests ALTER COLUMN reply SET STATISTICS DEFAULT;
ALTER TABLE consent_events ALTER COLUMN evidence SET STATISTICS DEFAULT;
ALTER TABLE contacts ALTER COLUMN attributes SET STATISTICS DEFAULT;
ALTER TABLE messages ALTER COLUMN parameters SET STATISTICS DEFAULT;
ALTER TABLE interactions ALTER COLUMN payload SET STATISTICS DEFAULT, ALTER COLUMN text SET STATISTICS DEFAULT;
ALTER TABLE parked_receipts ALTER COLUMN receipt SET STATISTICS DEFAULT;
ALTER TABLE webhook_deliveries ALTER COLUMN body SET STATISTICS DEFAULT;
