-- migrate:up

-- The last attempt whose failure was answered with another try. It stands in the message's own row, so that whoever waited
-- for the row's lock sees it: old news of that attempt must not move the message again.
ALTER TABLE messages ADD COLUMN failed_attempt integer NOT NULL DEFAULT 0;

UPDATE messages
SET failed_attempt = failed.attempt
FROM (
    SELECT campaign_id, message_id, max(attempt) AS attempt
    FROM message_attempts
    WHERE fail_time IS NOT NULL
    GROUP BY campaign_id, message_id
) AS failed
WHERE messages.campaign_id = failed.campaign_id AND messages.id = failed.message_id;

-- migrate:down
ALTER TABLE messages DROP COLUMN failed_attempt;
