-- migrate:up

-- When WhatsApp's failure of an attempt became known that was then tried again on request: a repeated receipt of it must
-- not move the message a second time, and the newer attempt is no double of it.
ALTER TABLE message_attempts ADD COLUMN fail_time timestamptz;

-- migrate:down
ALTER TABLE message_attempts DROP COLUMN fail_time;
