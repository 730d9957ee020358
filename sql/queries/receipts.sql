-- Receipts move messages forward. The rule is core/domain/receipts.py; each statement that moves names the state it leaves.

-- name: lock_messages
-- Locks messages in key order until the transaction ends, so that two batches never wait for each other in a ring.
-- $1 campaigns, $2 messages. The answer has those that exist, as they are; a rival is an older attempt that may have arrived,
-- also one that is told to have failed: else it would decide whether that is told before the newest one's failure, or after it.
SELECT
    messages.campaign_id, messages.id, messages.sender_id, messages.contact_id, messages.attempt,
    messages.whatsapp_message_id, messages.state, messages.reason, messages.error_code, messages.error_title,
    messages.accept_time, messages.send_time, messages.deliver_time, messages.read_time, messages.fail_time,
    messages.failed_attempt, messages.retry_count, messages.not_before_time, messages.is_billable, messages.price_category,
    EXISTS (
        SELECT FROM message_attempts AS older
        WHERE older.campaign_id = messages.campaign_id AND older.message_id = messages.id
            AND older.attempt < messages.attempt AND older.fail_time IS NULL
    ) AS has_rival,
    EXISTS (
        SELECT FROM campaigns WHERE campaigns.id = messages.campaign_id AND campaigns.state = 'CANCELLED'
    ) AS is_cancelled
FROM unnest($1::uuid[], $2::uuid[]) AS told (campaign_id, id)
JOIN messages ON messages.campaign_id = told.campaign_id AND messages.id = told.id
ORDER BY messages.campaign_id, messages.id
FOR UPDATE OF messages;

-- name: move_messages
-- Writes what receipts made of locked messages. $1 campaigns, $2 messages (none twice), $3 the states they leave, $4 the
-- states they take, $5 reasons, $6 error codes, $7 titles, $8 WhatsApp ids, $9 accept, $10 send, $11 deliver, $12 read,
-- $13 fail times, $14 answered attempts, $15 tries that count, $16 not before, $17 whether they are charged for, $18 as what.
-- A message that is no longer in the state it should leave is not touched.
UPDATE messages
SET
    state = told.state,
    reason = told.reason,
    error_code = told.error_code,
    error_title = told.error_title,
    whatsapp_message_id = told.whatsapp_message_id,
    accept_time = told.accept_time,
    send_time = told.send_time,
    deliver_time = told.deliver_time,
    read_time = told.read_time,
    fail_time = told.fail_time,
    failed_attempt = told.failed_attempt,
    retry_count = told.retry_count,
    not_before_time = told.not_before_time,
    is_billable = told.is_billable,
    price_category = told.price_category
FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::timestamptz[],
    $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::integer[], $15::integer[],
    $16::timestamptz[], $17::boolean[], $18::text[]
) AS told (
    campaign_id, id, old_state, state, reason, error_code, error_title, whatsapp_message_id, accept_time, send_time,
    deliver_time, read_time, fail_time, failed_attempt, retry_count, not_before_time, is_billable, price_category
)
WHERE messages.campaign_id = told.campaign_id
    AND messages.id = told.id
    AND messages.state = told.old_state;

-- name: find_messages
-- Finds whose WhatsApp ids these are, also of attempts that were superseded: a message shows the id of one of them as long
-- as none is known of the newest. $1 WhatsApp ids. No row: none of ours.
SELECT wanted.id AS whatsapp_message_id, found.campaign_id, found.message_id, found.attempt, found.contact_id
FROM unnest($1::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT campaign_id, id AS message_id, attempt, contact_id, create_time
    FROM messages
    WHERE messages.whatsapp_message_id = wanted.id
    UNION ALL
    SELECT older.campaign_id, older.message_id, older.attempt, messages.contact_id, messages.create_time
    FROM message_attempts AS older
    JOIN messages ON messages.campaign_id = older.campaign_id AND messages.id = older.message_id
    WHERE older.whatsapp_message_id = wanted.id
    ORDER BY create_time DESC, attempt
    LIMIT 1
) AS found;

-- name: fail_attempts
-- Keeps attempts whose failure is answered with another try, so that old news of them stay old. $1 campaigns, $2 messages,
-- $3 attempts, $4 WhatsApp ids, $5 when they failed.
INSERT INTO message_attempts (campaign_id, message_id, attempt, whatsapp_message_id, fail_time)
SELECT campaign_id, message_id, attempt, whatsapp_message_id, fail_time
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::timestamptz[])
    AS told (campaign_id, message_id, attempt, whatsapp_message_id, fail_time)
ORDER BY campaign_id, message_id, attempt
ON CONFLICT ON CONSTRAINT message_attempts_pkey DO UPDATE
SET
    whatsapp_message_id = coalesce(message_attempts.whatsapp_message_id, excluded.whatsapp_message_id),
    fail_time = excluded.fail_time;

-- name: revive_attempts
-- Notes that attempts which were taken for failed were seen after all. $1 campaigns, $2 messages, $3 attempts.
UPDATE message_attempts
SET fail_time = NULL
FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS told (campaign_id, message_id, attempt)
WHERE message_attempts.campaign_id = told.campaign_id
    AND message_attempts.message_id = told.message_id
    AND message_attempts.attempt = told.attempt
    AND message_attempts.fail_time IS NOT NULL;

-- name: note_attempts
-- Notes attempts other than the current one that WhatsApp accepted. $1 campaigns, $2 messages, $3 attempts, $4 WhatsApp ids,
-- $5 when they failed, or null.
INSERT INTO message_attempts (campaign_id, message_id, attempt, whatsapp_message_id, undelivered_time)
SELECT campaign_id, message_id, attempt, whatsapp_message_id, undelivered_time
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::timestamptz[])
    AS told (campaign_id, message_id, attempt, whatsapp_message_id, undelivered_time)
ORDER BY campaign_id, message_id, attempt
ON CONFLICT ON CONSTRAINT message_attempts_pkey DO UPDATE
SET
    whatsapp_message_id = coalesce(message_attempts.whatsapp_message_id, excluded.whatsapp_message_id),
    undelivered_time = least(message_attempts.undelivered_time, excluded.undelivered_time);

-- name: prove_doubles
-- Marks accepted attempts as doubles once a newer one is known to be accepted too. $1 campaigns, $2 messages, $3 the newer
-- attempts, $4 when these were accepted, or null: now. Returns the campaigns of those it marked.
UPDATE message_attempts
SET accept_time = coalesce(told.accept_time, now())
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::timestamptz[]) AS told (campaign_id, message_id, attempt, accept_time)
WHERE message_attempts.campaign_id = told.campaign_id
    AND message_attempts.message_id = told.message_id
    AND message_attempts.attempt < told.attempt
    AND message_attempts.whatsapp_message_id IS NOT NULL
    AND message_attempts.accept_time IS NULL
    AND message_attempts.fail_time IS NULL
RETURNING message_attempts.campaign_id;

-- name: prove_superseded_doubles
-- Marks superseded attempts as doubles of which a later one is known to be accepted too: another superseded one, or the
-- newest, which is when the message bears an id of none of them. $1 campaigns, $2 messages; needs the lock of
-- lock_messages. Returns those it marked.
UPDATE message_attempts
SET accept_time = now()
FROM unnest($1::uuid[], $2::uuid[]) AS told (campaign_id, message_id)
JOIN messages ON messages.campaign_id = told.campaign_id AND messages.id = told.message_id
WHERE message_attempts.campaign_id = told.campaign_id
    AND message_attempts.message_id = told.message_id
    AND message_attempts.whatsapp_message_id IS NOT NULL
    AND message_attempts.accept_time IS NULL
    AND message_attempts.fail_time IS NULL
    AND (
        EXISTS (
            SELECT FROM message_attempts AS newer
            WHERE newer.campaign_id = told.campaign_id
                AND newer.message_id = told.message_id
                AND newer.attempt > message_attempts.attempt
                AND newer.whatsapp_message_id IS NOT NULL
                AND newer.fail_time IS NULL
        )
        OR (
            messages.whatsapp_message_id IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM message_attempts AS superseded
                WHERE superseded.campaign_id = told.campaign_id
                    AND superseded.message_id = told.message_id
                    AND superseded.whatsapp_message_id = messages.whatsapp_message_id
            )
        )
    )
RETURNING message_attempts.message_id;

-- name: park_receipts
-- Keeps receipts whose message is not there yet. $1 deliveries, $2 receipts, $3 tries so far, $4 not before, $5 until when,
-- $6 whom they tell of, each an array written as text.
INSERT INTO parked_receipts (delivery_id, receipt, try_count, not_before_time, expire_time, traces)
SELECT delivery_id, receipt, try_count, not_before_time, expire_time, traces::bigint[]
FROM unnest($1::uuid[], $2::jsonb[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[])
    AS parked (delivery_id, receipt, try_count, not_before_time, expire_time, traces);

-- name: take_parked_receipts
-- Takes the parked receipts that are due, so that they are applied or parked again in this transaction. $1 now, $2 how many.
DELETE FROM parked_receipts
WHERE id IN (
    SELECT id
    FROM parked_receipts
    WHERE not_before_time <= $1
    ORDER BY not_before_time
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
RETURNING id, delivery_id, receipt, try_count, expire_time, traces;

-- name: take_parked_receipt
-- Takes parked receipt $1. No row: it is taken already, or somebody is taking it.
DELETE FROM parked_receipts
WHERE id = (SELECT id FROM parked_receipts WHERE id = $1 FOR UPDATE SKIP LOCKED)
RETURNING id, delivery_id, receipt, try_count, expire_time, traces;

-- name: mark_whatsapp_states
-- Notes which contacts are on WhatsApp and which cannot be reached; a contact of whom that is known already is not touched.
-- $1 contacts (none twice), $2 states, $3 the days that is told of, $4 on how many it takes to be absent; being reached begins
-- anew, unless it was before the last of these days, and a day counts once. Returns those of whom WhatsApp's id is not known,
-- of those $5 of whom it is told; that is said in a way that no index answers, since it holds all others without one.
WITH told AS (
    SELECT id, state, day
    FROM unnest($1::uuid[], $2::text[], $3::date[]) AS told (id, state, day)
), changed AS MATERIALIZED (
    SELECT contacts.id, told.state, told.day,
        CASE WHEN told.state = 'ABSENT' THEN contacts.absent_days + 1 ELSE 0 END AS absent_days
    FROM told
    JOIN contacts ON contacts.id = told.id
    WHERE CASE told.state
        WHEN 'ABSENT' THEN contacts.whatsapp_state <> 'ABSENT' AND told.day > coalesce(contacts.absent_date, '-infinity')
        ELSE (contacts.whatsapp_state <> told.state OR contacts.absent_days > 0) AND told.day >= coalesce(contacts.absent_date, '-infinity')
    END
    ORDER BY contacts.id
    FOR NO KEY UPDATE OF contacts
), marked AS (
    UPDATE contacts
    SET whatsapp_state = CASE
            WHEN changed.state <> 'ABSENT' OR changed.absent_days >= $4 THEN changed.state
            ELSE contacts.whatsapp_state
        END,
        absent_days = changed.absent_days,
        absent_date = CASE WHEN changed.state = 'ABSENT' THEN changed.day END,
        update_time = now()
    FROM changed
    WHERE contacts.id = changed.id
)
SELECT contacts.id
FROM unnest($1::uuid[], $5::boolean[]) AS named (id, has_user_id)
JOIN contacts ON contacts.id = named.id
WHERE named.has_user_id
    AND coalesce(contacts.whatsapp_user_id, '') = '';
