-- Counters of campaigns that are over, folded into one row for each thing counted: shard -1, which no writer of messages
-- writes. One statement takes the shards away and adds up what they held: every reader finds the same sum before and
-- after. A shard that a writer holds is passed over until the next turn, so that a fold waits for no writer; a writer that
-- meets a fold waits for its end and begins the shard anew. Folds take the rows of shard -1 in key order.

-- name: fold_state_counters
-- Folds what is counted by state, error and reason for the first $2 campaigns after $1 that are over and have shards.
-- Answers the last of them; no row: there are none.
WITH ended AS MATERIALIZED (
    SELECT campaigns.id
    FROM (SELECT DISTINCT scope_id FROM counters WHERE shard >= 0 AND scope_id > $1) AS unfolded
    JOIN campaigns ON campaigns.id = unfolded.scope_id
    WHERE campaigns.state IN ('COMPLETED', 'CANCELLED', 'FAILED')
    ORDER BY campaigns.id
    LIMIT $2
), taken AS MATERIALIZED (
    SELECT counters.scope_id, counters.state, counters.error_code, counters.reason, counters.shard
    FROM ended JOIN counters ON counters.scope_id = ended.id
    WHERE counters.shard >= 0
    ORDER BY counters.scope_id, counters.state, counters.error_code, counters.reason, counters.shard
    FOR UPDATE OF counters SKIP LOCKED
), removed AS (
    DELETE FROM counters
    USING taken
    WHERE counters.scope_id = taken.scope_id
        AND counters.state = taken.state
        AND counters.error_code = taken.error_code
        AND counters.reason = taken.reason
        AND counters.shard = taken.shard
    RETURNING counters.scope_id, counters.state, counters.error_code, counters.reason, counters.count
), folded AS (
    INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
    SELECT scope_id, state, error_code, reason, -1, sum(count)
    FROM removed
    GROUP BY scope_id, state, error_code, reason
    HAVING sum(count) <> 0
    ORDER BY scope_id, state, error_code, reason
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count
)
SELECT id FROM ended ORDER BY id DESC LIMIT 1;

-- name: fold_reply_counters
-- Folds how many messages were answered for the first $2 campaigns after $1 that are over and have shards. Answers the
-- last of them; no row: there are none.
WITH ended AS MATERIALIZED (
    SELECT campaigns.id
    FROM (SELECT DISTINCT scope_id FROM reply_counters WHERE shard >= 0 AND scope_id > $1) AS unfolded
    JOIN campaigns ON campaigns.id = unfolded.scope_id
    WHERE campaigns.state IN ('COMPLETED', 'CANCELLED', 'FAILED')
    ORDER BY campaigns.id
    LIMIT $2
), taken AS MATERIALIZED (
    SELECT reply_counters.scope_id, reply_counters.shard
    FROM ended JOIN reply_counters ON reply_counters.scope_id = ended.id
    WHERE reply_counters.shard >= 0
    ORDER BY reply_counters.scope_id, reply_counters.shard
    FOR UPDATE OF reply_counters SKIP LOCKED
), removed AS (
    DELETE FROM reply_counters
    USING taken
    WHERE reply_counters.scope_id = taken.scope_id AND reply_counters.shard = taken.shard
    RETURNING reply_counters.scope_id, reply_counters.count
), folded AS (
    INSERT INTO reply_counters (scope_id, shard, count)
    SELECT scope_id, -1, sum(count)
    FROM removed
    GROUP BY scope_id
    HAVING sum(count) <> 0
    ORDER BY scope_id
    ON CONFLICT ON CONSTRAINT reply_counters_pkey DO UPDATE SET count = reply_counters.count + excluded.count
)
SELECT id FROM ended ORDER BY id DESC LIMIT 1;
