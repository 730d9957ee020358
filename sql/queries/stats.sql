-- name: batch_get_campaign_stats
-- Reads the counters of the campaigns $1, each summed over its shards, how many messages were answered, and proven doubles.
-- A campaign without a row does not exist.
SELECT
    campaigns.id,
    campaigns.state,
    coalesce(campaigns.complete_time, campaigns.cancel_time, campaigns.update_time) AS end_time,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(state, error_code, reason, count)), '[]')
        FROM (
            SELECT state, error_code, reason, sum(count)::bigint AS count
            FROM counters
            WHERE scope_id = campaigns.id
            GROUP BY state, error_code, reason
        ) AS summed
    ) AS tallies,
    (SELECT coalesce(sum(count), 0)::bigint FROM reply_counters WHERE scope_id = campaigns.id) AS replied_count,
    (
        SELECT count(DISTINCT message_id)
        FROM message_attempts
        WHERE message_attempts.campaign_id = campaigns.id AND accept_time IS NOT NULL
    ) AS double_count
FROM campaigns
WHERE campaigns.id = ANY ($1::uuid[]);

-- name: get_message_stats
-- Reads the counters of the whole deployment (scope $1), summed over their shards, how many messages were answered,
-- the number of proven doubles, and by how much counters differed from rows when they were last recounted.
SELECT
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(state, error_code, reason, count)), '[]')
        FROM (
            SELECT state, error_code, reason, sum(count)::bigint AS count
            FROM counters
            WHERE scope_id = $1
            GROUP BY state, error_code, reason
        ) AS summed
    ) AS tallies,
    (SELECT coalesce(sum(count), 0)::bigint FROM reply_counters WHERE scope_id = $1) AS replied_count,
    (
        SELECT count(*)
        FROM (SELECT DISTINCT campaign_id, message_id FROM message_attempts WHERE accept_time IS NOT NULL) AS doubled
    ) AS double_count,
    (SELECT coalesce(sum(difference_count), 0)::bigint FROM recounts WHERE difference_count > 0) AS difference_count;

-- name: get_dashboard
-- Reads the deployment's counters (scope $1), the number of campaigns by state, and how many messages were accepted in
-- the minutes from $2 on.
SELECT
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(state, error_code, reason, count)), '[]')
        FROM (
            SELECT state, error_code, reason, sum(count)::bigint AS count
            FROM counters
            WHERE scope_id = $1
            GROUP BY state, error_code, reason
        ) AS summed
    ) AS tallies,
    (SELECT coalesce(sum(count), 0)::bigint FROM reply_counters WHERE scope_id = $1) AS replied_count,
    (
        SELECT coalesce(jsonb_object_agg(state, count), '{}')
        FROM (SELECT state, count(*) AS count FROM campaigns WHERE kind = 'BULK' GROUP BY state) AS grouped
    ) AS campaign_states,
    (
        SELECT coalesce(sum(count), 0)::bigint
        FROM minute_counters
        WHERE scope_id = $1 AND minute >= $2 AND milestone = 'ACCEPTED'
    ) AS accepted_last_hour_count;

-- name: list_campaign_lines
-- Lists up to $1 campaigns with their counters: those that run or are paused, newest first, then those that ended last.
WITH shown AS (
    (SELECT id, 'infinity'::timestamptz AS end_time FROM campaigns
        WHERE kind = 'BULK' AND state IN ('RUNNING', 'PAUSED') ORDER BY id DESC NULLS LAST LIMIT $1)
    UNION ALL
    (SELECT id, coalesce(complete_time, cancel_time, update_time) AS end_time FROM campaigns
        WHERE kind = 'BULK' AND state IN ('COMPLETED', 'CANCELLED', 'FAILED') ORDER BY end_time DESC, id DESC LIMIT $1)
)
SELECT campaigns.id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids,
    excluded_category_ids, state, schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason,
    failure_reason, expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(summed.state, 0, '', summed.count)), '[]')
        FROM (
            SELECT counters.state, sum(counters.count)::bigint AS count
            FROM counters
            WHERE counters.scope_id = shown.id
            GROUP BY counters.state
        ) AS summed
    ) AS tallies,
    (SELECT coalesce(sum(count), 0)::bigint FROM reply_counters WHERE reply_counters.scope_id = shown.id) AS replied_count
FROM shown
JOIN campaigns ON campaigns.id = shown.id
ORDER BY shown.end_time DESC, shown.id DESC
LIMIT $1;

-- name: list_minutes
-- Lists how many messages of scope $1 reached each milestone in each minute from $2 to before $3.
SELECT minute AS start_time, milestone, sum(count)::bigint AS count
FROM minute_counters
WHERE scope_id = $1
    AND minute >= $2
    AND minute < $3
GROUP BY minute, milestone;

-- name: list_hours
-- Lists how many messages of scope $1 reached each milestone in each hour from $2 to before $3, of minutes folded into
-- hours and of those that are not.
SELECT start_time, milestone, sum(count)::bigint AS count
FROM (
    SELECT hour AS start_time, milestone, count
    FROM hour_counters
    WHERE scope_id = $1 AND hour >= $2 AND hour < $3
    UNION ALL
    SELECT date_trunc('hour', minute, 'UTC'), milestone, count
    FROM minute_counters
    WHERE scope_id = $1 AND minute >= $2 AND minute < $3
) AS counted
GROUP BY start_time, milestone;

-- name: fold_minutes
-- Moves counters of minutes before $1, oldest first and at most $2 rows, into those of their hours; a minute that counts
-- again later is folded again. Answers how many hours were written.
WITH old AS MATERIALIZED (
    SELECT scope_id, minute, milestone, shard
    FROM minute_counters
    WHERE minute < $1
    ORDER BY minute
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), folded AS (
    DELETE FROM minute_counters AS counters
    USING old
    WHERE counters.scope_id = old.scope_id
        AND counters.minute = old.minute
        AND counters.milestone = old.milestone
        AND counters.shard = old.shard
    RETURNING counters.scope_id, date_trunc('hour', counters.minute, 'UTC') AS hour, counters.milestone, counters.count
)
INSERT INTO hour_counters (scope_id, hour, milestone, count)
SELECT scope_id, hour, milestone, sum(count)
FROM folded
GROUP BY scope_id, hour, milestone
ORDER BY scope_id, hour, milestone
ON CONFLICT ON CONSTRAINT hour_counters_pkey DO UPDATE
SET count = hour_counters.count + excluded.count;
