-- migrate:up

-- Where counters of a campaign that is over are still spread over shards; shard -1 holds what was folded.
CREATE INDEX counters_unfolded_idx ON counters (scope_id) WHERE shard >= 0;
CREATE INDEX reply_counters_unfolded_idx ON reply_counters (scope_id) WHERE shard >= 0;

-- migrate:down
DROP INDEX reply_counters_unfolded_idx;
DROP INDEX counters_unfolded_idx;
