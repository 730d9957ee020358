-- name: list_running_campaigns
-- What a sender's pump may claim from now, its hidden DIRECT campaign first. $1 sender. No row: nothing runs. A campaign that
-- finds out whether a restriction is over sends one message in five seconds, for a minute. A country is tried again after a day.
SELECT
    campaigns.id, campaigns.kind, campaigns.bindings,
    CASE
        WHEN campaigns.probe_time > now() - interval '1 minute' THEN least(campaigns.messages_per_second, 0.2)
        ELSE campaigns.messages_per_second
    END AS messages_per_second,
    templates.template_name, templates.language_code, templates.parameter_format,
    ARRAY(
        SELECT restricted_countries.country_code
        FROM restricted_countries
        WHERE restricted_countries.whatsapp_account_id = senders.whatsapp_account_id
            AND restricted_countries.restrict_time > now() - interval '1 day'
    ) AS restricted_countries
FROM campaigns
JOIN senders ON senders.id = campaigns.sender_id
LEFT JOIN templates ON templates.id = campaigns.template_id
WHERE campaigns.sender_id = $1
    AND campaigns.state = 'RUNNING'
    AND senders.state = 'ACTIVE'
ORDER BY campaigns.kind DESC, campaigns.id;

-- name: find_due_campaigns
-- Which of the campaigns $1 have a message that is due. No row: none has.
SELECT asked.id
FROM unnest($1::uuid[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT messages.id FROM messages
    WHERE messages.campaign_id = asked.id AND messages.state = 'PENDING' AND messages.not_before_time <= now()
    ORDER BY messages.not_before_time, messages.id
    LIMIT 1
) AS due;

-- name: claim_messages
-- Takes due messages of running campaigns for one attempt each; who opted out of marketing is skipped on the way.
-- $1 campaigns, $2 how many of each, $3 lease in seconds, $4 and $5 the last ones claimed of each (time, id). No row: nothing is
-- due. All campaigns of a number in one statement: it is planned, committed and counted once.
-- The campaign reaches the scans as what a row says: of a constant, statistics from before the campaign would say that it has
-- next to no messages, and each claim would walk all of them.
WITH due AS MATERIALIZED (
    SELECT due.campaign_id, due.id, due.contact_id, due.template_id, campaigns.kind, campaigns.template_id AS campaign_template_id
    FROM unnest($1::uuid[], $4::timestamptz[], $5::uuid[]) AS asked (campaign_id, after_time, after_id)
    JOIN campaigns ON campaigns.id = asked.campaign_id AND campaigns.state = 'RUNNING'
    JOIN senders ON senders.id = campaigns.sender_id AND senders.state = 'ACTIVE'
    CROSS JOIN LATERAL (
        SELECT messages.campaign_id, messages.id, messages.contact_id, messages.template_id
        FROM messages
        WHERE messages.campaign_id = asked.campaign_id
            AND messages.state = 'PENDING'
            AND messages.not_before_time <= now()
            AND (messages.not_before_time, messages.id) > (asked.after_time, asked.after_id)
        ORDER BY messages.not_before_time, messages.id
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ) AS due
), judged AS MATERIALIZED (
    SELECT
        due.campaign_id, due.id, contacts.phone_number, contacts.whatsapp_user_id, due.kind,
        templates.template_name, templates.language_code, templates.parameter_format,
        CASE
            WHEN contacts.id IS NULL THEN 'ERASED'
            WHEN contacts.marketing_consent = 'OPTED_OUT' AND templates.template_category = 'MARKETING' THEN 'OPTED_OUT'
            ELSE ''
        END AS reason
    FROM due
    LEFT JOIN contacts ON contacts.id = due.contact_id
    LEFT JOIN templates ON templates.id = coalesce(due.template_id, due.campaign_template_id)
)
UPDATE messages
SET state = CASE WHEN judged.reason = '' THEN 'SENDING' ELSE 'SKIPPED' END,
    reason = judged.reason, attempt = attempt + CASE WHEN judged.reason = '' THEN 1 ELSE 0 END,
    lease_expire_time = CASE WHEN judged.reason = '' THEN now() + make_interval(secs => $3) END
FROM judged
WHERE messages.campaign_id = judged.campaign_id AND messages.id = judged.id
RETURNING messages.campaign_id, messages.id, messages.contact_id, messages.state, messages.attempt, messages.retry_count,
    messages.not_before_time, messages.parameters, judged.phone_number, judged.whatsapp_user_id,
    CASE judged.kind WHEN 'DIRECT' THEN judged.template_name END AS template_name,
    CASE judged.kind WHEN 'DIRECT' THEN judged.language_code END AS language_code,
    CASE judged.kind WHEN 'DIRECT' THEN judged.parameter_format END AS parameter_format;

-- name: settle_messages
-- Writes what became of attempts, each only while that attempt is the newest and no other one answers its failure; a message
-- a receipt has moved on keeps its state and learns its WhatsApp id. $1 to $10: one array per column of input. Returns what was settled.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[],
        $9::double precision[], $10::boolean[]
    ) AS input (campaign_id, id, attempt, state, reason, error_code, error_title, whatsapp_message_id, delay, counts)
), locked AS MATERIALIZED (
    -- By primary key alone: a condition on the state would tempt the planner into its index.
    SELECT messages.campaign_id, messages.id, messages.attempt, messages.state, messages.reason, messages.failed_attempt,
        messages.whatsapp_message_id, messages.accept_time
    FROM input JOIN messages ON messages.campaign_id = input.campaign_id AND messages.id = input.id
    ORDER BY messages.campaign_id, messages.id
    FOR UPDATE OF messages
), decided AS MATERIALIZED (
    SELECT input.campaign_id, input.id, input.attempt, input.error_code, input.error_title, input.whatsapp_message_id, input.delay,
        CASE WHEN input.state = 'PENDING' AND campaigns.state = 'CANCELLED' THEN 'CANCELLED' ELSE input.state END AS state,
        CASE WHEN input.state = 'PENDING' AND campaigns.state = 'CANCELLED' THEN 'CAMPAIGN_CANCELLED' ELSE input.reason END AS reason,
        input.counts::integer AS burnt,
        CASE locked.state
            WHEN 'SENDING' THEN true
            WHEN 'UNCONFIRMED' THEN input.state <> 'UNCONFIRMED'
            WHEN 'PENDING' THEN input.whatsapp_message_id IS NOT NULL
            WHEN 'CANCELLED' THEN input.whatsapp_message_id IS NOT NULL
            WHEN 'FAILED' THEN input.whatsapp_message_id IS NOT NULL AND locked.reason = 'OUTCOME_UNKNOWN'
            ELSE false
        END AS moves,
        -- A receipt that came before the answer has often told all of it.
        input.whatsapp_message_id <> coalesce(locked.whatsapp_message_id, '') OR locked.accept_time IS NULL AS tells
    FROM input JOIN campaigns ON campaigns.id = input.campaign_id
    JOIN locked ON locked.campaign_id = input.campaign_id AND locked.id = input.id AND locked.attempt = input.attempt
    WHERE locked.state <> 'SKIPPED' AND locked.failed_attempt < input.attempt
), written AS (
    UPDATE messages
    SET state = CASE WHEN moves THEN decided.state ELSE messages.state END,
        reason = CASE WHEN moves THEN decided.reason ELSE messages.reason END,
        error_code = CASE WHEN moves THEN decided.error_code ELSE messages.error_code END,
        error_title = CASE WHEN moves THEN decided.error_title ELSE messages.error_title END,
        retry_count = retry_count + CASE WHEN moves THEN burnt ELSE 0 END,
        not_before_time = CASE WHEN moves AND decided.state = 'PENDING' THEN now() + make_interval(secs => decided.delay) ELSE not_before_time END,
        doubt_time = CASE WHEN moves AND decided.state = 'UNCONFIRMED' THEN now() ELSE doubt_time END,
        fail_time = CASE WHEN moves THEN CASE WHEN decided.state = 'FAILED' THEN now() END ELSE fail_time END,
        accept_time = CASE WHEN decided.whatsapp_message_id IS NULL THEN accept_time ELSE coalesce(accept_time, now()) END,
        -- WhatsApp's ids hold the number, so an erased person's gets none.
        whatsapp_message_id = CASE WHEN contact_id IS NOT NULL THEN coalesce(decided.whatsapp_message_id, messages.whatsapp_message_id) END
    FROM decided
    WHERE messages.campaign_id = decided.campaign_id AND messages.id = decided.id AND (moves OR tells)
)
SELECT campaign_id, id, attempt FROM decided;

-- name: record_late_accepts
-- Keeps WhatsApp's ids of superseded attempts that were taken after all. Needs the lock of lock_messages (receipts.sql).
-- $1 campaigns, $2 messages, $3 attempts, $4 WhatsApp ids.
UPDATE message_attempts
SET whatsapp_message_id = CASE WHEN messages.contact_id IS NOT NULL THEN late.whatsapp_message_id END
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[]) AS late (campaign_id, message_id, attempt, whatsapp_message_id)
JOIN messages ON messages.campaign_id = late.campaign_id AND messages.id = late.message_id
WHERE message_attempts.campaign_id = late.campaign_id
    AND message_attempts.message_id = late.message_id
    AND message_attempts.attempt = late.attempt;

-- name: settle_by_late_accepts
-- Keeps what a superseded attempt brought to its person from being sent once more: until a receipt or the newest attempt's own
-- accept says more, it counts as accepted, or held, by that one; not where that one is told to have failed. Needs the lock of
-- lock_messages (receipts.sql). $1 campaigns, $2 messages, $3 attempts, $4 WhatsApp ids, $5 states.
UPDATE messages
SET state = late.state,
    accept_time = coalesce(messages.accept_time, now()),
    whatsapp_message_id = CASE
        WHEN messages.contact_id IS NOT NULL THEN coalesce(messages.whatsapp_message_id, late.whatsapp_message_id)
    END
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[])
    AS late (campaign_id, message_id, attempt, whatsapp_message_id, state)
JOIN message_attempts ON message_attempts.campaign_id = late.campaign_id
    AND message_attempts.message_id = late.message_id
    AND message_attempts.attempt = late.attempt
WHERE messages.campaign_id = late.campaign_id
    AND messages.id = late.message_id
    AND messages.state IN ('PENDING', 'SENDING', 'UNCONFIRMED')
    AND messages.failed_attempt < late.attempt
    AND message_attempts.fail_time IS NULL
    AND message_attempts.undelivered_time IS NULL;

-- name: expire_leases
-- Puts messages into doubt whose worker did not settle them in time. $1 how many at most. No row: no lease has expired.
WITH expired AS MATERIALIZED (
    SELECT campaign_id, id
    FROM messages
    WHERE state = 'SENDING' AND lease_expire_time < now()
    ORDER BY lease_expire_time
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE messages
SET state = 'UNCONFIRMED', doubt_time = now()
FROM expired
WHERE messages.campaign_id = expired.campaign_id AND messages.id = expired.id
RETURNING messages.campaign_id, messages.id;
