-- name: date_runs
-- Has the campaigns that ran all along count as run since what could have paused them ended: a failure from before that, told
-- late, would pause them, and nothing would let them run on. $1 WhatsApp's ids of templates, approved at $2, unless they are not
-- any more; $3 accounts or, by the digits $4 of their phone numbers, numbers of theirs (empty: the account itself) that may send
-- since $5, position by position. The caller has locked the campaigns.
WITH ended AS MATERIALIZED (
    SELECT campaigns.id, told.end_time
    FROM unnest($1::text[], $2::timestamptz[]) AS told (whatsapp_template_id, end_time)
    JOIN templates ON templates.whatsapp_template_id = told.whatsapp_template_id AND templates.state = 'APPROVED'
    JOIN campaigns ON campaigns.template_id = templates.id
    WHERE campaigns.state = 'RUNNING' AND campaigns.kind = 'BULK'
    UNION ALL
    SELECT campaigns.id, told.end_time
    FROM unnest($3::text[], $4::text[], $5::timestamptz[]) AS told (whatsapp_account_id, digits, end_time)
    JOIN senders ON senders.whatsapp_account_id = told.whatsapp_account_id
        AND (told.digits = '' OR regexp_replace(senders.phone_number, '[^0-9]', '', 'g') = told.digits)
    JOIN campaigns ON campaigns.sender_id = senders.id
    WHERE campaigns.state = 'RUNNING' AND campaigns.kind = 'BULK'
), latest AS (
    SELECT id, max(end_time) AS end_time FROM ended GROUP BY id
)
UPDATE campaigns
SET run_time = latest.end_time
FROM latest
WHERE campaigns.id = latest.id AND coalesce(campaigns.run_time < latest.end_time, true);

-- name: resume_template_campaigns
-- Lets the campaigns run on that errors with the codes $2 paused and whose templates, of WhatsApp's ids $1, are approved, at
-- $3. No row: none waited for that.
WITH over AS MATERIALIZED (
    SELECT campaigns.id
    FROM campaigns JOIN templates ON templates.id = campaigns.template_id
    WHERE templates.whatsapp_template_id = ANY ($1::text[]) AND templates.state = 'APPROVED'
        AND campaigns.state = 'PAUSED' AND campaigns.pause_source = 'TEMPLATE' AND campaigns.pause_code = ANY ($2::integer[])
    ORDER BY campaigns.id
    FOR NO KEY UPDATE OF campaigns
)
UPDATE campaigns
SET state = 'RUNNING', pause_source = '', pause_reason = '', pause_code = 0, resume_time = NULL, revision = revision + 1,
    run_time = $3, update_time = $3
FROM over
WHERE campaigns.id = over.id
RETURNING campaigns.id;

-- name: resume_account_campaigns
-- Lets the campaigns of WhatsApp accounts $1 run on that errors of the account with the codes $2 paused, at $3.
WITH over AS MATERIALIZED (
    SELECT campaigns.id
    FROM campaigns JOIN senders ON senders.id = campaigns.sender_id
    WHERE senders.whatsapp_account_id = ANY ($1::text[])
        AND campaigns.state = 'PAUSED' AND campaigns.pause_source = 'ACCOUNT' AND campaigns.pause_code = ANY ($2::integer[])
    ORDER BY campaigns.id
    FOR NO KEY UPDATE OF campaigns
)
UPDATE campaigns
SET state = 'RUNNING', pause_source = '', pause_reason = '', pause_code = 0, resume_time = NULL, probe_time = NULL, revision = revision + 1,
    run_time = $3, update_time = $3
FROM over
WHERE campaigns.id = over.id
RETURNING campaigns.id;

-- name: resume_sender_campaigns
-- Lets the campaigns of senders run on that errors of the sender with the codes $3 paused, at $4. WhatsApp names a number by
-- account $1 and the digits of its phone number $2, position by position.
WITH over AS MATERIALIZED (
    SELECT campaigns.id
    FROM unnest($1::text[], $2::text[]) AS told (whatsapp_account_id, digits)
    JOIN senders ON senders.whatsapp_account_id = told.whatsapp_account_id
        AND regexp_replace(senders.phone_number, '[^0-9]', '', 'g') = told.digits
    JOIN campaigns ON campaigns.sender_id = senders.id
    WHERE campaigns.state = 'PAUSED' AND campaigns.pause_source = 'SENDER' AND campaigns.pause_code = ANY ($3::integer[])
    ORDER BY campaigns.id
    FOR NO KEY UPDATE OF campaigns
)
UPDATE campaigns
SET state = 'RUNNING', pause_source = '', pause_reason = '', pause_code = 0, resume_time = NULL, probe_time = NULL, revision = revision + 1,
    run_time = $4, update_time = $4
FROM over
WHERE campaigns.id = over.id
RETURNING campaigns.id;

-- name: resume_due_campaigns
-- Lets the campaigns run on whose restriction has ended by $1, or is probed then: slowly at first, see list_running_campaigns.
WITH over AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE state = 'PAUSED' AND kind = 'BULK' AND pause_source IN ('ACCOUNT', 'SENDER') AND resume_time <= $1
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE campaigns
SET state = 'RUNNING', pause_source = '', pause_reason = '', pause_code = 0, resume_time = NULL, revision = revision + 1,
    probe_time = CASE WHEN probe_count IS NOT NULL THEN $1::timestamptz END, run_time = $1, update_time = $1
FROM over
WHERE campaigns.id = over.id
RETURNING campaigns.id;
