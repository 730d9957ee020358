-- migrate:up

-- What a pump tells the next one when it lets go of a sender: when that was, and for how many seconds each message that
-- left counts for the sender's pace; and when a pump last ended without telling (null: none did).
ALTER TABLE pumps
    ADD COLUMN release_time timestamptz,
    ADD COLUMN left_seconds real[] NOT NULL DEFAULT '{}',
    ADD COLUMN silent_end_time timestamptz;

-- migrate:down
ALTER TABLE pumps
    DROP COLUMN release_time,
    DROP COLUMN left_seconds,
    DROP COLUMN silent_end_time;
