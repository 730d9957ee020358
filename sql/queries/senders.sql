-- name: get_sender
-- Reads sender $1. No row: there is none.
SELECT id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time
FROM senders
WHERE id = $1;

-- name: list_senders
-- Lists up to $2 senders after id $1, oldest first.
SELECT id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time
FROM senders
WHERE id > $1
ORDER BY id
LIMIT $2;

-- name: create_sender
-- Creates a sender: name $1, number id $2, account $3, credential $4, rate $5, at $6.
INSERT INTO senders (
    display_name, phone_number_id, whatsapp_account_id, credential_reference, messages_per_second, create_time, update_time
)
VALUES ($1, $2, $3, $4, $5, $6, $6)
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;

-- name: update_sender
-- Writes what may change of sender $1: name $2, credential $3, rate $4, each null to keep what it is, at $5. No row: there
-- is none.
UPDATE senders
SET display_name = coalesce($2::text, display_name), credential_reference = coalesce($3::text, credential_reference),
    messages_per_second = coalesce($4::double precision, messages_per_second), update_time = $5
WHERE id = $1
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;

-- name: delete_sender
-- Deletes sender $1; a campaign of it, a reply to it or a message of it forbids that. No row: there is none.
DELETE FROM senders
WHERE id = $1
RETURNING id;

-- name: pause_sender
-- Stops all that sender $1 has to send, for reason $2, at $3; a paused one stays as it is. No row: there is none.
UPDATE senders
SET state = 'PAUSED', pause_reason = CASE state WHEN 'ACTIVE' THEN $2 ELSE pause_reason END,
    update_time = CASE state WHEN 'ACTIVE' THEN $3 ELSE update_time END
WHERE id = $1
    AND state IN ('ACTIVE', 'PAUSED')
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;

-- name: resume_sender
-- Lets sender $1 send again, at $2; an active one stays as it is. No row: there is none.
UPDATE senders
SET state = 'ACTIVE', pause_reason = '', update_time = CASE state WHEN 'PAUSED' THEN $2 ELSE update_time END
WHERE id = $1
    AND state IN ('ACTIVE', 'PAUSED')
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;

-- name: refresh_sender
-- Writes what WhatsApp says of sender $1: number $2, verified name $3, quality $4, level $5, limit $6; rate $7, at $8. No
-- row: there is none.
UPDATE senders
SET phone_number = $2, verified_name = $3, quality = $4, throughput_level = $5, messaging_limit = $6,
    messages_per_second = $7, refresh_time = $8, update_time = $8
WHERE id = $1
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;
