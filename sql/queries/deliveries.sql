-- Webhook bodies between the door and the workers, and the door's heartbeat.

-- name: append_deliveries
-- Keeps raw bodies; one commit for all that wait. $1 bodies, $2 which of them a person may say stop in.
INSERT INTO webhook_deliveries (body, is_urgent, receive_time)
SELECT body, is_urgent, now() FROM unnest($1::bytea[], $2::boolean[]) AS arrived (body, is_urgent);

-- name: beat
-- Notes that the door is up and the database answers, once per second whatever the number of doors.
INSERT INTO webhook_heartbeats (beat_time)
VALUES (date_trunc('second', clock_timestamp()))
ON CONFLICT ON CONSTRAINT webhook_heartbeats_pkey DO NOTHING;

-- name: claim_deliveries
-- Locks the oldest bodies nobody applies yet, until the transaction ends. $1 how many, $2 how many bytes together at most
-- (the first is always taken). No row: nothing waits. Those in which a person may say stop have a lane of their own: here
-- they would wait for all that the others wait for. What failed before is claimed apart, or it would spoil batch after batch.
WITH waiting AS MATERIALIZED (
    SELECT id, octet_length(body) AS size
    FROM webhook_deliveries
    WHERE apply_time IS NULL
        AND NOT is_urgent
        AND retry_time IS NULL
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), sized AS (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS size_before
    FROM waiting
)
SELECT webhook_deliveries.id, body, receive_time, replay_time IS NOT NULL AS is_replay
FROM sized JOIN webhook_deliveries ON webhook_deliveries.id = sized.id
WHERE size_before < $2
ORDER BY webhook_deliveries.id;

-- name: claim_failed_deliveries
-- Locks bodies that failed and are due to be tried again, until the transaction ends; those due longest first. $1 how many, $2
-- how many bytes together at most (the first is always taken). No row: none is due.
WITH due AS MATERIALIZED (
    SELECT id, retry_time, octet_length(body) AS size
    FROM webhook_deliveries
    WHERE apply_time IS NULL
        AND NOT is_urgent
        AND retry_time <= now()
    ORDER BY retry_time
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), sized AS (
    SELECT id, sum(size) OVER (ORDER BY retry_time, id) - size AS size_before
    FROM due
)
SELECT webhook_deliveries.id, body, receive_time, replay_time IS NOT NULL AS is_replay
FROM sized JOIN webhook_deliveries ON webhook_deliveries.id = sized.id
WHERE size_before < $2
ORDER BY webhook_deliveries.id;

-- name: find_urgent_deliveries
-- Finds the oldest bodies in which a person may say stop, whatever waits before them; one that failed, once it is due. $1 the
-- last id seen, $2 how many. No row: there are no more.
SELECT id
FROM webhook_deliveries
WHERE apply_time IS NULL
    AND is_urgent
    AND coalesce(retry_time, '-infinity') <= now()
    AND id > $1
ORDER BY id
LIMIT $2;

-- name: claim_given_deliveries
-- Locks those of these bodies that are still to be applied. $1 ids. A body that is missing was applied, or someone else applies
-- it now.
SELECT id, body, receive_time, replay_time IS NOT NULL AS is_replay
FROM webhook_deliveries
WHERE id = ANY ($1::uuid[])
    AND apply_time IS NULL
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- name: mark_heard
-- Notes that what people said in these bodies is done: the rest waits its turn. $1 ids, which are claimed.
UPDATE webhook_deliveries
SET is_urgent = false
WHERE id = ANY ($1::uuid[]);

-- name: mark_applied
-- Notes that these bodies are done. $1 ids, $2 for each why nothing of it could be applied, empty when all went well, $3 how
-- many things of which kind were not understood, $4 whom it tells of, each an array written as text, null when not known.
UPDATE webhook_deliveries
SET apply_time = now(), attempt = attempt + 1, error = done.error, unknown = done.unknown, traces = done.traces::bigint[]
FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[]) AS done (id, error, unknown, traces)
WHERE webhook_deliveries.id = done.id;

-- name: find_traced_deliveries
-- Locks bodies that tell of someone. $1 traces, $2 the last id seen, $3 how many. No row: there are no more.
SELECT id, body
FROM webhook_deliveries
WHERE traces && $1::bigint[]
    AND id > $2
ORDER BY id
LIMIT $3
FOR UPDATE;

-- name: find_untraced_deliveries
-- Locks bodies of which nobody knows whom they tell of: set aside, or applied before that was noted. $1 the last id seen, $2
-- how many. No row: there are no more.
SELECT id, body
FROM webhook_deliveries
WHERE apply_time IS NOT NULL
    AND traces IS NULL
    AND id > $1
ORDER BY id
LIMIT $2
FOR UPDATE;

-- name: redact_deliveries
-- Writes bodies without a person and forgets that they told of them. $1 ids, $2 bodies or null for one that told nothing, $3
-- the person's traces.
UPDATE webhook_deliveries
SET
    body = coalesce(redacted.body, webhook_deliveries.body),
    traces = CASE
        WHEN traces IS NOT NULL THEN ARRAY (SELECT kept FROM unnest(traces) AS kept WHERE kept <> ALL ($3::bigint[]))
    END
FROM unnest($1::uuid[], $2::bytea[]) AS redacted (id, body)
WHERE webhook_deliveries.id = redacted.id;

-- name: mark_failed
-- Counts a failed try: the next one comes after 1, 2, 4 … seconds, $4 at most; the last one sets the body aside for people to
-- look at. $1 id, $2 the error, $3 how many tries. No row: it was applied, or somebody else counted the same failure.
UPDATE webhook_deliveries
SET
    attempt = attempt + 1,
    error = $2,
    apply_time = CASE WHEN attempt + 1 >= $3 THEN now() END,
    retry_time = now() + make_interval(secs => least($4, power(2, least(attempt, 30))))
WHERE id = $1
    AND apply_time IS NULL
    AND coalesce(retry_time, '-infinity') <= now()
RETURNING id, body, receive_time, replay_time IS NOT NULL AS is_replay, apply_time IS NOT NULL AS is_set_aside;

-- name: find_head
-- Finds the oldest body that waits its turn to be applied; where none does, the one that failed or else the parked receipt that
-- is due first. Null: nothing waits.
SELECT coalesce(
    (SELECT id FROM webhook_deliveries WHERE apply_time IS NULL AND NOT is_urgent AND retry_time IS NULL ORDER BY id LIMIT 1),
    (
        SELECT id
        FROM webhook_deliveries
        WHERE apply_time IS NULL AND NOT is_urgent AND retry_time <= now()
        ORDER BY retry_time
        LIMIT 1
    ),
    (SELECT id FROM parked_receipts WHERE not_before_time <= now() ORDER BY not_before_time LIMIT 1)
);

-- name: find_urgent_head
-- Finds the oldest body that waits and in which a person may say stop. No row: none does, or what failed is not due yet.
SELECT id
FROM webhook_deliveries
WHERE apply_time IS NULL
    AND is_urgent
    AND coalesce(retry_time, '-infinity') <= now()
ORDER BY id
LIMIT 1;

-- name: delete_old_deliveries
-- Forgets those among the $2 oldest bodies that were received before $1 and are applied. No more than these are read: ids come
-- in the order of receipt, and a condition on the time would walk over all that is too young.
DELETE FROM webhook_deliveries
WHERE id = ANY (ARRAY (SELECT oldest.id FROM webhook_deliveries AS oldest ORDER BY oldest.id LIMIT $2))
    AND receive_time < $1
    AND apply_time IS NOT NULL;

-- name: delete_old_heartbeats
-- Forgets the beats before $1.
DELETE FROM webhook_heartbeats
WHERE beat_time < $1;
