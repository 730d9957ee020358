-- name: reopen_campaign
-- Lets campaign $1 send again what failed, at $2: a completed one runs again. No row: there is none, or it is in no state
-- to retry.
UPDATE campaigns
SET state = CASE state WHEN 'COMPLETED' THEN 'RUNNING' ELSE state END,
    complete_time = CASE state WHEN 'COMPLETED' THEN NULL ELSE complete_time END,
    run_time = CASE state WHEN 'COMPLETED' THEN $2 ELSE run_time END,
    revision = revision + 1, update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('RUNNING', 'PAUSED', 'COMPLETED')
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- part: with_contact
-- Messages of campaign $1 with what says whether they may be sent again.
JOIN campaigns ON campaigns.id = $1
JOIN templates ON templates.id = coalesce(messages.template_id, campaigns.template_id)
JOIN contacts ON contacts.id = messages.contact_id

-- part: chosen
-- What a retry asks for of what failed: messages with the error codes $3, or with none given all whose outcome is known and whose
-- code is none of $4; never what failed after $6 with a code of $5. Erased contacts and, of marketing, those who opted out
-- stay as they are.
messages.state = 'FAILED'
AND NOT (contacts.marketing_consent = 'OPTED_OUT' AND templates.template_category = 'MARKETING')
AND CASE cardinality($3::integer[])
    WHEN 0 THEN messages.reason <> 'OUTCOME_UNKNOWN' AND messages.error_code <> ALL ($4::integer[])
    ELSE messages.error_code = ANY ($3)
END
AND NOT (messages.error_code = ANY ($5::integer[]) AND messages.fail_time > $6)

-- part: may_arrive
-- What was sent again after $6 though an earlier attempt was accepted and is not told to have failed: that one may be on its way.
messages.attempt > 1 AND messages.lease_expire_time > $6 AND coalesce((
    SELECT true
    FROM message_attempts AS older
    WHERE older.campaign_id = messages.campaign_id AND older.message_id = messages.id
        AND older.attempt < messages.attempt AND older.whatsapp_message_id IS NOT NULL
        AND older.fail_time IS NULL AND older.undelivered_time IS NULL
    LIMIT 1
), false)

-- name: take_turn
-- Waits for who gives messages of campaign $1 another try just now: what both counted would be the same messages.
SELECT pg_advisory_xact_lock(hashtext('retries'), hashtext($1::uuid::text));

-- name: find_page
-- Finds the first $7 chosen messages of campaign $1 behind id $2, without those of which an earlier attempt may arrive, and locks
-- nothing: where few match, this reads all that failed. Fewer than $7 rows: that is the last page.
SELECT messages.id
FROM messages
-- insert: with_contact
WHERE messages.campaign_id = $1 AND messages.id > $2 AND
    -- insert: chosen
    AND NOT (
        -- insert: may_arrive
    )
ORDER BY messages.campaign_id, messages.id
LIMIT $7;

-- name: put_back
-- Puts those of the messages $2 of campaign $1, in id order, back to PENDING that are still chosen and of which still no earlier
-- attempt may arrive. An attempt that may have reached somebody is kept. One message is looked up after the other, by what a row
-- says: of a constant, statistics from before the campaign would say that it has next to none, and all of them would be read.
WITH page AS MATERIALIZED (
    SELECT messages.campaign_id, messages.id, messages.attempt, messages.reason, messages.whatsapp_message_id,
        messages.accept_time, messages.fail_time
    FROM unnest(array_fill($1::uuid, ARRAY[cardinality($2::uuid[])]), $2) AS found (campaign_id, id)
    CROSS JOIN LATERAL (
        SELECT * FROM messages WHERE messages.campaign_id = found.campaign_id AND messages.id = found.id FOR UPDATE
    ) AS messages
    -- insert: with_contact
    WHERE
        -- insert: chosen
        AND NOT (
            -- insert: may_arrive
        )
), kept AS (
    INSERT INTO message_attempts (campaign_id, message_id, attempt, whatsapp_message_id, fail_time)
    SELECT $1, id, attempt, whatsapp_message_id, CASE WHEN accept_time IS NOT NULL THEN coalesce(fail_time, now()) END
    FROM page WHERE accept_time IS NOT NULL OR reason = 'OUTCOME_UNKNOWN'
    ORDER BY id
    ON CONFLICT ON CONSTRAINT message_attempts_pkey DO UPDATE
    SET fail_time = excluded.fail_time,
        whatsapp_message_id = coalesce(message_attempts.whatsapp_message_id, excluded.whatsapp_message_id)
)
UPDATE messages
SET state = 'PENDING', reason = '', error_code = 0, error_title = '', retry_count = 0, not_before_time = now(),
    failed_attempt = CASE WHEN page.accept_time IS NULL THEN messages.failed_attempt ELSE page.attempt END,
    whatsapp_message_id = NULL, doubt_time = NULL, accept_time = NULL, send_time = NULL, fail_time = NULL
FROM page
WHERE messages.campaign_id = page.campaign_id AND messages.id = page.id
RETURNING messages.id;

-- name: count_retryable
-- Counts the messages that pages of campaign $1 behind id $2 would put back.
SELECT count(*)
FROM messages
-- insert: with_contact
WHERE messages.campaign_id = $1 AND messages.id > $2 AND
    -- insert: chosen
    AND NOT (
        -- insert: may_arrive
    );

-- name: count_may_arrive
-- Counts the chosen messages of campaign $1 behind id $2 that are left alone because an earlier attempt may arrive.
SELECT count(*)
FROM messages
-- insert: with_contact
WHERE messages.campaign_id = $1 AND messages.id > $2 AND
    -- insert: chosen
    AND (
        -- insert: may_arrive
    );

-- name: count_resting
-- Counts the FAILED messages of campaign $1, with the codes $2 if any are given, that failed after $4 with a code of $3.
SELECT count(*)
FROM messages
WHERE campaign_id = $1 AND state = 'FAILED' AND contact_id IS NOT NULL
    AND (cardinality($2::integer[]) = 0 OR error_code = ANY ($2))
    AND error_code = ANY ($3::integer[]) AND fail_time > $4;

-- name: keep_retry
-- Keeps that the retry of campaign $1 by the error codes $2 goes on behind message $3.
INSERT INTO retries (campaign_id, error_codes, after_message_id)
VALUES ($1, $2, $3);

-- name: list_unfinished_retries
-- Lists the campaigns with a retry that is not over.
SELECT DISTINCT campaign_id
FROM retries
ORDER BY campaign_id;

-- name: take_retry
-- Takes the oldest unfinished retry of campaign $1 until the transaction ends; a campaign that sends no more has none.
-- No row: there is none, or another worker has it.
SELECT retries.id, retries.error_codes, retries.after_message_id
FROM retries
JOIN campaigns ON campaigns.id = retries.campaign_id
WHERE retries.campaign_id = $1
    AND campaigns.state IN ('RUNNING', 'PAUSED')
ORDER BY retries.id
LIMIT 1
FOR UPDATE OF retries SKIP LOCKED;

-- name: advance_retry
-- Moves retry $1 behind message $2.
UPDATE retries
SET after_message_id = $2
WHERE id = $1;

-- name: finish_retry
-- Ends retry $1.
DELETE FROM retries
WHERE id = $1;

-- name: drop_retries
-- Ends the retries of campaign $1 if it was stopped for good.
DELETE FROM retries
USING campaigns
WHERE retries.campaign_id = $1
    AND campaigns.id = retries.campaign_id
    AND campaigns.state IN ('CANCELLED');
