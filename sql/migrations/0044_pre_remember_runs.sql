-- migrate:up

-- When a campaign was last started or resumed, by whomever: a failure from before that, told late, does not pause it. NULL: before
-- this was kept.
ALTER TABLE campaigns ADD COLUMN run_time timestamptz;

-- migrate:down
ALTER TABLE campaigns DROP COLUMN run_time;
