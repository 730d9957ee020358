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

-- name: lock_doubts
-- Locks what has been in doubt for $1 seconds until the transaction ends, and was claimed for $2; the oldest first, behind the
-- last one looked at ($4 and $5, doubt time and id). $3 how many. No row: nothing is, or others hold it. Of what was claimed
-- before a body came that can be read but not applied nothing is proven: its receipt may stand in there, as long as it is
-- set aside.
SELECT
    messages.campaign_id, messages.id, messages.sender_id, messages.doubt_time,
    messages.lease_expire_time - make_interval(secs => $2) AS claim_time
FROM messages JOIN campaigns ON campaigns.id = messages.campaign_id AND campaigns.state IN ('RUNNING', 'PAUSED', 'CANCELLED')
WHERE messages.state = 'UNCONFIRMED' AND messages.doubt_time <= now() - make_interval(secs => $1)
    -- Said twice, since the index knows the time alone.
    AND messages.doubt_time >= $4 AND (messages.doubt_time, messages.id) > ($4, $5)
    AND messages.lease_expire_time - make_interval(secs => $2) > coalesce(
        (
            SELECT max(receive_time)
            FROM webhook_deliveries
            WHERE retry_time IS NOT NULL AND error <> '' AND apply_time IS NOT NULL
        ),
        '-infinity'
    )
ORDER BY messages.doubt_time, messages.id
LIMIT $3
FOR UPDATE OF messages SKIP LOCKED;

-- name: list_heard_claims
-- Around which claims nearly all was heard of: 95 in 100 of what the sender sent in the minutes around one, and half of each of
-- them. $1 senders, $2 when each claimed. No row: around none.
WITH claim AS MATERIALIZED (
    SELECT
        sender_id, claim_time,
        date_trunc('minute', claim_time - interval '30 seconds') AS first_minute,
        date_trunc('minute', claim_time + interval '30 seconds') + interval '1 minute' AS end_minute
    FROM unnest($1::uuid[], $2::timestamptz[]) AS claim (sender_id, claim_time)
), heard AS MATERIALIZED (
    SELECT span.sender_id, span.first_minute, span.end_minute
    FROM (SELECT DISTINCT sender_id, first_minute, end_minute FROM claim) AS span
    CROSS JOIN LATERAL (
        SELECT minute_counters.minute, sum(minute_counters.count) AS count
        FROM campaigns JOIN minute_counters ON minute_counters.scope_id = campaigns.id
        WHERE campaigns.sender_id = span.sender_id AND minute_counters.milestone = 'ACCEPTED'
            AND minute_counters.minute >= span.first_minute AND minute_counters.minute < span.end_minute
        GROUP BY minute_counters.minute
    ) AS accepted
    CROSS JOIN LATERAL (
        SELECT count(*) AS count FROM messages
        WHERE messages.sender_id = span.sender_id AND messages.state = 'ACCEPTED'
            AND messages.accept_time >= accepted.minute AND messages.accept_time < accepted.minute + interval '1 minute'
    ) AS unheard
    GROUP BY span.sender_id, span.first_minute, span.end_minute
    HAVING sum(accepted.count) > 0 AND sum(unheard.count) <= sum(accepted.count) * 0.05
        AND NOT bool_or(unheard.count > greatest(1, accepted.count * 0.5))
)
SELECT claim.sender_id, claim.claim_time
FROM claim JOIN heard USING (sender_id, first_minute, end_minute);

-- name: list_passed_claims
-- Which claims the receipts have come past, should they come in order. Of the first messages that WhatsApp took right after a
-- claim and is silent about, those sent next tell whether they are stray or the head of a queue: half of these must be heard of.
-- Where it is silent about none, the receipts are past. Ids follow the order of sending, and the time of a claim is by our own
-- clock. $1 senders, $2 when each claimed, $3 lease in seconds. No row: none.
SELECT claim.sender_id, claim.claim_time
FROM unnest($1::uuid[], $2::timestamptz[]) AS claim (sender_id, claim_time)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, count(*) FILTER (WHERE sent_next.state = 'ACCEPTED') AS unheard_count
    FROM (
        SELECT DISTINCT later.id, later.state
        FROM (
            SELECT messages.campaign_id, messages.id
            FROM messages
            WHERE messages.sender_id = claim.sender_id AND messages.state = 'ACCEPTED'
                AND messages.accept_time >= claim.claim_time AND messages.accept_time < claim.claim_time + interval '10 seconds'
            ORDER BY messages.accept_time
            LIMIT 5
        ) AS silent
        CROSS JOIN LATERAL (
            SELECT messages.id, messages.state, messages.accept_time, messages.lease_expire_time
            FROM messages
            WHERE messages.campaign_id = silent.campaign_id AND messages.id >= silent.id
            ORDER BY messages.id
            LIMIT 20
        ) AS later
        WHERE later.accept_time IS NOT NULL AND later.state <> 'HELD'
            AND later.lease_expire_time > claim.claim_time + make_interval(secs => $3 - 10)
            AND later.lease_expire_time < claim.claim_time + make_interval(secs => $3 + 10)
    ) AS sent_next
) AS counted
WHERE counted.unheard_count <= counted.count * 0.5;

-- name: resend_doubts
-- Makes messages in doubt PENDING again, and keeps the attempt; those of a cancelled campaign are CANCELLED instead. $1
-- campaigns, $2 ids; needs the lock of lock_doubts. Returns those it moved.
WITH moved AS (
    UPDATE messages
    SET state = CASE campaigns.state WHEN 'CANCELLED' THEN 'CANCELLED' ELSE 'PENDING' END,
        reason = CASE campaigns.state WHEN 'CANCELLED' THEN 'CAMPAIGN_CANCELLED' ELSE messages.reason END,
        not_before_time = now(), whatsapp_message_id = NULL
    FROM unnest($1::uuid[], $2::uuid[]) AS proven (campaign_id, id) JOIN campaigns ON campaigns.id = proven.campaign_id
    WHERE messages.campaign_id = proven.campaign_id AND messages.id = proven.id AND messages.state = 'UNCONFIRMED'
    RETURNING messages.campaign_id, messages.id, messages.attempt, messages.state
), kept AS (
    INSERT INTO message_attempts (campaign_id, message_id, attempt)
    SELECT campaign_id, id, attempt FROM moved WHERE state = 'PENDING'
    ON CONFLICT ON CONSTRAINT message_attempts_pkey DO NOTHING
)
SELECT id, state FROM moved;

-- name: decide_doubts
-- Lets the campaign's policy decide over what has been in doubt for $1 seconds: RESEND, or FAILED as unknown. $2 how many.
-- Not before all bodies that came until then are applied, or set aside: after a day without workers the proof may wait there.
WITH doubted AS MATERIALIZED (
    SELECT
        messages.campaign_id, messages.id,
        campaigns.unconfirmed_policy = 'RESEND' AND campaigns.state IN ('RUNNING', 'PAUSED') AS again
    FROM messages JOIN campaigns ON campaigns.id = messages.campaign_id
    WHERE messages.state = 'UNCONFIRMED'
        AND messages.doubt_time <= least(
            now(), (SELECT receive_time FROM webhook_deliveries WHERE apply_time IS NULL ORDER BY id LIMIT 1)
        ) - make_interval(secs => $1)
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
