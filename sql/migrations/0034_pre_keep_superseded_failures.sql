-- migrate:up

-- When a superseded attempt failed, as a receipt tells: unlike fail_time, no other try is an answer to that, so two attempts
-- that WhatsApp took stay a double. It moves no message, and one whose attempts have all failed may be retried.
ALTER TABLE message_attempts ADD COLUMN undelivered_time timestamptz;

-- migrate:down
ALTER TABLE message_attempts DROP COLUMN undelivered_time;
