-- migrate:up

-- Until when an account that is blocked may not send, where WhatsApp said so: what is refused meanwhile waits until then.
ALTER TABLE announcements ADD COLUMN end_time timestamptz;

-- migrate:down
ALTER TABLE announcements DROP COLUMN end_time;
