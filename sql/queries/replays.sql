-- Webhook bodies on their way back to the workers. The filter: $1 received from, $2 received before, $3 ids or null for all, $4
-- only those that failed or held what was not understood.

-- name: count_replayable
-- Counts the applied bodies that match, and their bytes.
SELECT count(*) AS delivery_count, coalesce(sum(octet_length(body)), 0)::bigint AS byte_count
FROM webhook_deliveries
WHERE apply_time IS NOT NULL
    AND receive_time >= $1
    AND receive_time < $2
    AND ($3::uuid[] IS NULL OR id = ANY ($3))
    AND (NOT $4 OR error <> '' OR unknown <> '{}');

-- name: replay_deliveries
-- Lets the workers apply a page of bodies that match once more, at $5: those after id $6, at most $7. Returns their ids, oldest
-- first; none: there are no more. Receipts that come now go first.
WITH page AS MATERIALIZED (
    SELECT id
    FROM webhook_deliveries
    WHERE apply_time IS NOT NULL
        AND receive_time >= $1
        AND receive_time < $2
        AND ($3::uuid[] IS NULL OR id = ANY ($3))
        AND (NOT $4 OR error <> '' OR unknown <> '{}')
        AND id > $6
    ORDER BY id
    LIMIT $7
    FOR UPDATE
)
UPDATE webhook_deliveries
SET apply_time = NULL, attempt = 0, error = '', retry_time = NULL, replay_time = $5, is_urgent = false
FROM page
WHERE webhook_deliveries.id = page.id
RETURNING webhook_deliveries.id;

-- name: count_waiting_replays
-- Counts the bodies that were given back at $1 and are not applied yet.
SELECT count(*)
FROM webhook_deliveries
WHERE apply_time IS NULL
    AND replay_time = $1;

-- name: count_failed_replays
-- Counts the bodies that were given back at $1 and could not be applied.
SELECT count(*)
FROM webhook_deliveries
WHERE error <> ''
    AND replay_time = $1;

-- name: list_strange_kinds
-- Lists what was not understood since $1, the most frequent first, at most $2 kinds: how often, when last, in which body last.
SELECT kind, sum(count)::bigint AS count, max(receive_time) AS last_time, (array_agg(id ORDER BY id DESC))[1] AS last_id
FROM (
    SELECT id, receive_time, told.key AS kind, told.value::text::bigint AS count
    FROM webhook_deliveries, jsonb_each(unknown) AS told
    WHERE unknown <> '{}'
        AND receive_time >= $1
    UNION ALL
    SELECT id, receive_time, 'failed: ' || error, 1
    FROM webhook_deliveries
    WHERE error <> ''
        AND receive_time >= $1
) AS strange
GROUP BY kind
ORDER BY count DESC, kind
LIMIT $2;
