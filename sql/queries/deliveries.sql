-- Webhook bodies between the door and the workers, and the door's heartbeat.

-- name: append_deliveries
-- Keeps raw bodies; one commit for all that wait. $1 bodies.
INSERT INTO webhook_deliveries (body)
SELECT body FROM unnest($1::bytea[]) AS arrived (body);

-- name: beat
-- Notes that the door is up and the database answers, once per second whatever the number of doors.
INSERT INTO webhook_heartbeats (beat_time)
VALUES (date_trunc('second', clock_timestamp()))
ON CONFLICT ON CONSTRAINT webhook_heartbeats_pkey DO NOTHING;

-- name: enter_by_keys
-- Has the rest of the transaction enter tables by their keys: on one that was just filled and never analysed, the planner
-- would read all of it for every batch.
SELECT set_config('enable_seqscan', 'off', true);

-- name: claim_deliveries
-- Locks the oldest bodies nobody applies yet, until the transaction ends. $1 how many. No row: nothing waits.
SELECT id, body, attempt
FROM webhook_deliveries
WHERE apply_time IS NULL
ORDER BY id
LIMIT $1
FOR UPDATE SKIP LOCKED;

-- name: claim_delivery
-- Locks one body that is still to be applied. $1 id. No row: it was applied, or someone else applies it now.
SELECT id, body, attempt
FROM webhook_deliveries
WHERE id = $1
    AND apply_time IS NULL
FOR UPDATE SKIP LOCKED;

-- name: mark_applied
-- Notes that these bodies are done. $1 ids, $2 for each why nothing of it could be applied, empty when all went well.
UPDATE webhook_deliveries
SET apply_time = now(), attempt = attempt + 1, error = done.error
FROM unnest($1::uuid[], $2::text[]) AS done (id, error)
WHERE webhook_deliveries.id = done.id;

-- name: mark_failed
-- Counts a failed try; the last one sets the body aside for people to look at. $1 id, $2 the error, $3 how many tries.
UPDATE webhook_deliveries
SET
    attempt = attempt + 1,
    error = $2,
    apply_time = CASE WHEN attempt + 1 >= $3 THEN now() END
WHERE id = $1
    AND apply_time IS NULL;

-- name: count_unapplied
-- Counts what waits to be applied, at most $1 of each: bodies, and parked receipts that are due.
SELECT
    (SELECT count(*) FROM (SELECT FROM webhook_deliveries WHERE apply_time IS NULL LIMIT $1) AS waiting)
    + (SELECT count(*) FROM (SELECT FROM parked_receipts WHERE not_before_time <= now() LIMIT $1) AS due);

-- name: delete_old_deliveries
-- Forgets at most $2 applied bodies received before $1.
DELETE FROM webhook_deliveries
WHERE id IN (
    SELECT id
    FROM webhook_deliveries
    WHERE receive_time < $1
        AND apply_time IS NOT NULL
    ORDER BY id
    LIMIT $2
);

-- name: delete_old_heartbeats
-- Forgets the beats before $1.
DELETE FROM webhook_heartbeats
WHERE beat_time < $1;
