-- name: reopen_campaign
-- Lets campaign $1 send again what failed, at $2: a completed one runs again. No row: there is none, or it is in no state
-- to retry.
UPDATE campaigns
SET state = CASE state WHEN 'COMPLETED' THEN 'RUNNING' ELSE state END,
    complete_time = CASE state WHEN 'COMPLETED' THEN NULL ELSE complete_time END,
    revision = revision + 1, update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('RUNNING', 'PAUSED', 'COMPLETED')
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: retry_failed_page
-- Puts up to $3 FAILED messages of campaign $1 behind id $2 back to PENDING: those with the error codes $4, or with none
-- given all whose outcome is known and whose code is none of $5. Erased contacts and, of marketing, those who opted out
-- stay as they are. An attempt that may have reached somebody is kept. Fewer than $3 rows: that was the last page.
WITH page AS MATERIALIZED (
    SELECT messages.campaign_id, messages.id, messages.attempt, messages.reason, messages.whatsapp_message_id,
        messages.accept_time, messages.fail_time
    FROM messages
    JOIN campaigns ON campaigns.id = messages.campaign_id
    JOIN templates ON templates.id = coalesce(messages.template_id, campaigns.template_id)
    JOIN contacts ON contacts.id = messages.contact_id
    WHERE messages.campaign_id = $1 AND messages.state = 'FAILED' AND messages.id > $2
        AND NOT (contacts.marketing_consent = 'OPTED_OUT' AND templates.template_category = 'MARKETING')
        AND CASE cardinality($4::integer[])
            WHEN 0 THEN messages.reason <> 'OUTCOME_UNKNOWN' AND messages.error_code <> ALL ($5::integer[])
            ELSE messages.error_code = ANY ($4)
        END
    ORDER BY messages.campaign_id, messages.id
    LIMIT $3
    FOR UPDATE OF messages
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
    whatsapp_message_id = NULL, doubt_time = NULL, accept_time = NULL, send_time = NULL, fail_time = NULL
FROM page
WHERE messages.campaign_id = page.campaign_id AND messages.id = page.id
RETURNING messages.id;
