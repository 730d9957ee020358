-- migrate:up

-- How often in a row a probe was refused that followed an automatic pause (null: its end is not probed), and when the last
-- probe began: each refusal doubles the wait, and a probe sends little at first.
ALTER TABLE campaigns
    ADD COLUMN probe_count integer,
    ADD COLUMN probe_time timestamptz;

-- migrate:down
ALTER TABLE campaigns
    DROP COLUMN probe_count,
    DROP COLUMN probe_time;
