-- name: is_door_heard
-- Whether the webhook door has answered for $1 seconds without a silence longer than $2, and its deliveries are applied.
WITH beats AS (
    SELECT
        beat_time,
        beat_time - lag(beat_time, 1, now() - make_interval(secs => $1)) OVER (ORDER BY beat_time) AS silence
    FROM webhook_heartbeats
    WHERE beat_time BETWEEN now() - make_interval(secs => $1) AND now()
)
SELECT
    coalesce(max(beats.beat_time) >= now() - make_interval(secs => $2), false)
    AND coalesce(max(beats.silence) <= make_interval(secs => $2), false)
    AND NOT EXISTS (
        SELECT FROM webhook_deliveries
        WHERE webhook_deliveries.apply_time IS NULL AND webhook_deliveries.receive_time < now() - make_interval(secs => $2)
    )
FROM beats;

-- name: resend_on_evidence
-- Makes PENDING again what has been in doubt for $1 seconds, was claimed for $2, and of whose sender's other messages of
-- those minutes 95 in 100 have a receipt, and half of each: late receipts that come in their order leave out the last ones.
-- $3 how many are looked at, $4 whether the evidence counts, $5 and $6 the last one looked at (doubt time, id). The old attempt
-- is kept. Returns how many were resent, how many looked at, and the last of these.
WITH doubted AS MATERIALIZED (
    SELECT
        messages.campaign_id, messages.id, messages.attempt, messages.sender_id, messages.doubt_time,
        date_trunc('minute', messages.lease_expire_time - make_interval(secs => $2 + 30)) AS first_minute,
        date_trunc('minute', messages.lease_expire_time - make_interval(secs => $2 - 30)) + interval '1 minute' AS end_minute
    FROM messages JOIN campaigns ON campaigns.id = messages.campaign_id AND campaigns.state IN ('RUNNING', 'PAUSED')
    WHERE messages.state = 'UNCONFIRMED' AND messages.doubt_time <= now() - make_interval(secs => $1)
        -- Said twice, since the index knows the time alone.
        AND messages.doubt_time >= $5 AND (messages.doubt_time, messages.id) > ($5, $6)
    ORDER BY messages.doubt_time, messages.id
    LIMIT $3
    FOR UPDATE OF messages SKIP LOCKED
), proven AS MATERIALIZED (
    SELECT span.sender_id, span.first_minute, span.end_minute
    FROM (SELECT DISTINCT sender_id, first_minute, end_minute FROM doubted) AS span
    LEFT JOIN LATERAL (
        SELECT minute_counters.minute, sum(minute_counters.count) AS count
        FROM campaigns JOIN minute_counters ON minute_counters.scope_id = campaigns.id
        WHERE campaigns.sender_id = span.sender_id AND minute_counters.milestone = 'ACCEPTED'
            AND minute_counters.minute >= span.first_minute AND minute_counters.minute < span.end_minute
        GROUP BY minute_counters.minute
    ) AS accepted ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS count FROM messages
        WHERE messages.sender_id = span.sender_id AND messages.state = 'ACCEPTED'
            AND messages.accept_time >= accepted.minute AND messages.accept_time < accepted.minute + interval '1 minute'
    ) AS unheard
    GROUP BY span.sender_id, span.first_minute, span.end_minute
    HAVING NOT $4 OR (sum(accepted.count) > 0 AND sum(unheard.count) <= sum(accepted.count) * 0.05
        AND NOT bool_or(unheard.count > greatest(1, accepted.count * 0.5)))
), resent AS (
    UPDATE messages
    SET state = 'PENDING', not_before_time = now(), whatsapp_message_id = NULL
    FROM doubted JOIN proven USING (sender_id, first_minute, end_minute)
    WHERE messages.campaign_id = doubted.campaign_id AND messages.id = doubted.id
    RETURNING messages.campaign_id, messages.id, messages.attempt
), kept AS (
    INSERT INTO message_attempts (campaign_id, message_id, attempt)
    SELECT campaign_id, id, attempt FROM resent
    ON CONFLICT ON CONSTRAINT message_attempts_pkey DO NOTHING
)
SELECT (SELECT count(*) FROM resent) AS resent_count, (SELECT count(*) FROM doubted) AS count, doubt_time, id
FROM doubted
ORDER BY doubt_time DESC, id DESC
LIMIT 1;

-- name: decide_doubts
-- Lets the campaign's policy decide over what has been in doubt for $1 seconds: RESEND, or FAILED as unknown. $2 how many.
WITH doubted AS MATERIALIZED (
    SELECT
        messages.campaign_id, messages.id,
        campaigns.unconfirmed_policy = 'RESEND' AND campaigns.state IN ('RUNNING', 'PAUSED') AS again
    FROM messages JOIN campaigns ON campaigns.id = messages.campaign_id
    WHERE messages.state = 'UNCONFIRMED' AND messages.doubt_time <= now() - make_interval(secs => $1)
    ORDER BY messages.doubt_time
    LIMIT $2
    FOR UPDATE OF messages SKIP LOCKED
), decided AS (
    UPDATE messages
    SET state = CASE WHEN doubted.again THEN 'PENDING' ELSE 'FAILED' END,
        reason = CASE WHEN doubted.again THEN '' ELSE 'OUTCOME_UNKNOWN' END,
        fail_time = CASE WHEN NOT doubted.again THEN now() END,
        not_before_time = now()
    FROM doubted
    WHERE messages.campaign_id = doubted.campaign_id AND messages.id = doubted.id
    RETURNING messages.campaign_id, messages.id, messages.attempt, messages.state
), kept AS (
    INSERT INTO message_attempts (campaign_id, message_id, attempt)
    SELECT campaign_id, id, attempt FROM decided WHERE state = 'PENDING'
    ON CONFLICT ON CONSTRAINT message_attempts_pkey DO NOTHING
)
SELECT id, state FROM decided;
