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
