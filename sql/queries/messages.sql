-- name: get_message
-- Reads message $2 of campaign $1. No row: there is none.
SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt, retry_count,
    whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time, read_time, fail_time
FROM messages
WHERE campaign_id = $1
    AND id = $2;

-- name: list_campaign_messages
-- Lists the first $3 messages of campaign $1 after id $2, in the order they were planned, beside the campaign's state and
-- end. One row without a message: there are none. No row: no such campaign. The repository adds conditions at the mark.
SELECT
    campaigns.state AS campaign_state,
    coalesce(campaigns.complete_time, campaigns.cancel_time, campaigns.update_time) AS campaign_end_time,
    page.campaign_id, page.id, contact_id, page.sender_id, page.template_id, page.state, reason, error_code, error_title,
    attempt, retry_count, whatsapp_message_id, not_before_time, doubt_time, page.create_time, accept_time, send_time,
    deliver_time, read_time, fail_time
FROM campaigns
LEFT JOIN LATERAL (
    SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt,
        retry_count, whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time,
        read_time, fail_time
    FROM messages
    WHERE campaign_id = $1
        AND id > $2
        /* filters */
    ORDER BY id
    LIMIT $3
) AS page ON true
WHERE campaigns.id = $1
ORDER BY page.id;

-- name: list_campaign_messages_of_contact
-- Like list_campaign_messages, of contact $4 alone: few rows, read by its key before they are ordered, because a walk in
-- order would read the whole campaign.
WITH theirs AS MATERIALIZED (
    SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt,
        retry_count, whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time,
        read_time, fail_time
    FROM messages
    WHERE campaign_id = $1
        AND contact_id = $4
        AND id > $2
        /* filters */
)
SELECT
    campaigns.state AS campaign_state,
    coalesce(campaigns.complete_time, campaigns.cancel_time, campaigns.update_time) AS campaign_end_time,
    theirs.campaign_id, theirs.id, contact_id, theirs.sender_id, theirs.template_id, theirs.state, reason, error_code,
    error_title, attempt, retry_count, whatsapp_message_id, not_before_time, doubt_time, theirs.create_time, accept_time,
    send_time, deliver_time, read_time, fail_time
FROM campaigns
LEFT JOIN theirs ON true
WHERE campaigns.id = $1
ORDER BY theirs.id
LIMIT $3;

-- name: list_messages
-- Lists $3 messages before message $2 of campaign $1: newest campaign first, and in it newest first.
SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt, retry_count,
    whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time, read_time, fail_time
FROM messages
WHERE (campaign_id, id) < ($1, $2)
ORDER BY campaign_id DESC, id DESC
LIMIT $3;

-- name: list_messages_between
-- Like list_messages, of those with ids from $4 on and before $5: asks campaign by campaign, because an old campaign may
-- have got a message today.
SELECT page.campaign_id, page.id, contact_id, page.sender_id, page.template_id, page.state, reason, error_code,
    error_title, attempt, retry_count, whatsapp_message_id, not_before_time, doubt_time, page.create_time, accept_time,
    send_time, deliver_time, read_time, fail_time
FROM campaigns
CROSS JOIN LATERAL (
    SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt,
        retry_count, whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time,
        read_time, fail_time
    FROM messages
    WHERE messages.campaign_id = campaigns.id
        AND messages.id >= $4
        AND messages.id < CASE WHEN campaigns.id = $1 THEN least($2::uuid, $5::uuid) ELSE $5::uuid END
    ORDER BY messages.id DESC
    LIMIT $3
) AS page
WHERE campaigns.id <= $1
ORDER BY campaigns.id DESC, page.id DESC
LIMIT $3;

-- name: list_messages_by_state
-- Like list_messages_between, of those in state $6: no index holds a state of all campaigns.
SELECT page.campaign_id, page.id, contact_id, page.sender_id, page.template_id, page.state, reason, error_code,
    error_title, attempt, retry_count, whatsapp_message_id, not_before_time, doubt_time, page.create_time, accept_time,
    send_time, deliver_time, read_time, fail_time
FROM campaigns
CROSS JOIN LATERAL (
    SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt,
        retry_count, whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time,
        read_time, fail_time
    FROM messages
    WHERE messages.campaign_id = campaigns.id
        AND messages.state = $6
        AND messages.id >= $4
        AND messages.id < CASE WHEN campaigns.id = $1 THEN least($2::uuid, $5::uuid) ELSE $5::uuid END
    ORDER BY messages.id DESC
    LIMIT $3
) AS page
WHERE campaigns.id <= $1
ORDER BY campaigns.id DESC, page.id DESC
LIMIT $3;

-- name: list_messages_of_contact
-- Lists $3 messages to contact $1 before id $2, newest first. The repository adds conditions at the mark.
SELECT campaign_id, id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt, retry_count,
    whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time, deliver_time, read_time, fail_time
FROM messages
WHERE contact_id = $1
    AND id < $2
    /* filters */
ORDER BY id DESC
LIMIT $3;

-- name: list_addressees
-- Reads the contacts of $1 that exist, without their categories.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time, '{}'::uuid[] AS categories
FROM contacts
WHERE id = ANY ($1::uuid[]);
