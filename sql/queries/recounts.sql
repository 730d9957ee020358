-- Counters compared with the rows they count. A message and its counters change in one transaction, so a comparison is right
-- when all its statements see the same moment: they run in one snapshot, slice by slice, and lock nothing. The counters of the
-- deployment, whose scope is all zeros, are compared with those of all campaigns.

-- name: take_next_scope
-- Takes what was not compared for longest: the deployment ($1), or a campaign that has started; every hour while it may
-- change ($2 seconds), every week when it is over ($3 seconds). No row: nothing is due.
WITH due AS (
    SELECT scopes.scope_id
    FROM (
        SELECT id AS scope_id, state IN ('COMPLETED', 'CANCELLED', 'FAILED') AND update_time < now() - interval '1 day' AS is_over
        FROM campaigns
        WHERE state NOT IN ('DRAFT', 'SCHEDULED')
        UNION ALL
        SELECT $1::uuid, false
    ) AS scopes
    LEFT JOIN recounts ON recounts.scope_id = scopes.scope_id
    WHERE recounts.recount_time IS NULL
        OR recounts.recount_time < now() - make_interval(secs => CASE WHEN scopes.is_over THEN $3::float8 ELSE $2::float8 END)
    ORDER BY recounts.recount_time NULLS FIRST, scopes.scope_id
    LIMIT 1
)
INSERT INTO recounts (scope_id, recount_time)
SELECT scope_id, now() FROM due
ON CONFLICT ON CONSTRAINT recounts_pkey DO UPDATE SET recount_time = excluded.recount_time
RETURNING scope_id;

-- name: list_scopes
-- Lists the campaigns after $1 that have counters, in order, at most $2.
SELECT id AS scope_id
FROM campaigns
WHERE id > $1
    AND state NOT IN ('DRAFT', 'SCHEDULED')
ORDER BY id
LIMIT $2;

-- name: read_state_counters
-- Reads what is counted for scopes $1 to $2, of each state, error and reason.
SELECT state, error_code, reason, sum(count)::bigint AS count
FROM counters
WHERE scope_id >= $1 AND scope_id <= $2
GROUP BY state, error_code, reason;

-- name: read_milestone_counters
-- Reads what is counted for scopes $1 to $2, of each milestone in each hour.
SELECT milestone, hour, sum(count)::bigint AS count
FROM (
    SELECT milestone, hour, count FROM hour_counters WHERE scope_id >= $1 AND scope_id <= $2
    UNION ALL
    SELECT milestone, date_trunc('hour', minute, 'UTC'), count FROM minute_counters WHERE scope_id >= $1 AND scope_id <= $2
) AS buckets
GROUP BY milestone, hour;

-- name: read_reply_counters
-- Reads how many answered messages are counted for scopes $1 to $2.
SELECT coalesce(sum(count), 0)::bigint
FROM reply_counters
WHERE scope_id >= $1 AND scope_id <= $2;

-- name: find_slice_end
-- Finds the last of the $3 messages of campaign $1 after message $2. No row: there are not so many.
SELECT id
FROM messages
WHERE campaign_id = $1 AND id > $2
ORDER BY id
OFFSET $3::integer - 1
LIMIT 1;

-- name: count_states
-- Counts the messages of campaign $1 after message $2, up to message $3, in each state, with each error, skipped for each
-- reason.
SELECT state, error_code, CASE state WHEN 'SKIPPED' THEN reason ELSE '' END AS reason, count(*) AS count
FROM messages
WHERE campaign_id = $1 AND id > $2 AND id <= $3
GROUP BY 1, 2, 3;

-- name: count_milestones
-- Counts the messages of campaign $1 after message $2, up to message $3, that reached each milestone in each hour.
SELECT stamp.milestone, date_trunc('hour', stamp.at, 'UTC') AS hour, count(*) AS count
FROM messages
CROSS JOIN LATERAL (VALUES
    ('ACCEPTED', accept_time), ('SENT', send_time), ('DELIVERED', deliver_time), ('READ', read_time), ('FAILED', fail_time)
) AS stamp (milestone, at)
WHERE campaign_id = $1 AND id > $2 AND id <= $3 AND stamp.at IS NOT NULL
GROUP BY 1, 2;

-- name: count_answered
-- Counts the messages of campaign $1 after message $2, up to message $3, that were answered. Entered by the message: a
-- campaign's other answers would be read once for each slice.
SELECT count(DISTINCT message_id)
FROM interactions
WHERE message_id > $2 AND message_id <= $3 AND (campaign_id = $1) IS TRUE;

-- name: note_recount
-- Notes that scope $1 was compared, and that its counters differ by $2.
INSERT INTO recounts (scope_id, recount_time, difference_count)
VALUES ($1, now(), $2)
ON CONFLICT ON CONSTRAINT recounts_pkey DO UPDATE
SET recount_time = excluded.recount_time, difference_count = excluded.difference_count;

-- name: lock_repair
-- Lets one repair at a time add what is missing, until its transaction ends. That does nothing for as long as the comparison takes,
-- on a connection of its own, and must not be taken for one of a process that stands still.
SELECT set_config('idle_in_transaction_session_timeout', '0', true),
    pg_advisory_xact_lock(hashtext('counters'), hashtext($1::text));

-- name: add_to_counters
-- Adds to the counters of scope $1 what is missing, or takes off: states $2, error codes $3, reasons $4, by how much $5.
-- What changes meanwhile changes rows and counters alike, so the difference stays what it was.
INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
SELECT $1, state, error_code, reason, 0, missing
FROM unnest($2::text[], $3::integer[], $4::text[], $5::bigint[]) AS difference (state, error_code, reason, missing)
ORDER BY state, error_code, reason
ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count;

-- name: add_to_hours
-- Adds to the hours of scope $1 what is missing, or takes off: milestones $2, hours $3, by how much $4.
INSERT INTO hour_counters (scope_id, hour, milestone, count)
SELECT $1, hour, milestone, missing
FROM unnest($2::text[], $3::timestamptz[], $4::bigint[]) AS difference (milestone, hour, missing)
ORDER BY hour, milestone
ON CONFLICT ON CONSTRAINT hour_counters_pkey DO UPDATE SET count = hour_counters.count + excluded.count;

-- name: add_to_replies
-- Adds to the answered messages of scope $1 what is missing, or takes off: $2.
INSERT INTO reply_counters (scope_id, shard, count)
VALUES ($1, 0, $2)
ON CONFLICT ON CONSTRAINT reply_counters_pkey DO UPDATE SET count = reply_counters.count + excluded.count;
