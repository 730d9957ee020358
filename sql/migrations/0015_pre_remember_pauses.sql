-- migrate:up

-- What paused a campaign, so that the end of just that lets it run on: WhatsApp's error code, and until when, where it said so.
ALTER TABLE campaigns
    ADD COLUMN pause_code integer NOT NULL DEFAULT 0,
    ADD COLUMN resume_time timestamptz;

-- migrate:down
ALTER TABLE campaigns
    DROP COLUMN pause_code,
    DROP COLUMN resume_time;
