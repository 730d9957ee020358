-- migrate:up

-- What a dashboard shows is found in its order: what runs or is paused, newest first, and what ended, the last first. However
-- many campaigns ended, and whatever the statistics say of the states: NULLS FIRST is an order that no other index has.
CREATE INDEX campaigns_active_list_idx ON campaigns (id NULLS FIRST) WHERE kind = 'BULK' AND state IN ('RUNNING', 'PAUSED');
CREATE INDEX campaigns_ended_idx ON campaigns (coalesce(complete_time, cancel_time, update_time), id)
    WHERE kind = 'BULK' AND state IN ('COMPLETED', 'CANCELLED', 'FAILED');

-- migrate:down
DROP INDEX campaigns_ended_idx;
DROP INDEX campaigns_active_list_idx;
