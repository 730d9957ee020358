-- name: get_sender
-- Reads sender $1. No row: there is none.
SELECT id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time
FROM senders
WHERE id = $1;

-- name: lock_rate
-- Reads how fast sender $1 may send, and has others who change that wait for the end of the transaction. No row: there is none.
SELECT messages_per_second, chosen_messages_per_second, throughput_level
FROM senders
WHERE id = $1
FOR NO KEY UPDATE;

-- name: list_senders
-- Lists up to $2 senders after id $1, oldest first.
SELECT id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time
FROM senders
WHERE id > $1
ORDER BY id
LIMIT $2;

-- name: create_sender
-- Creates a sender: name $1, number id $2, account $3, credential $4, rate $5, at $6; $7 the rate a person chose, or null.
INSERT INTO senders (
    display_name, phone_number_id, whatsapp_account_id, credential_reference, messages_per_second, create_time, update_time,
    chosen_messages_per_second
)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;

-- name: update_sender
-- Writes what may change of sender $1: name $2, credential $3, rate $4, each null to keep what it is, at $5. With a rate goes
-- the one a person chose, $6, or null. No row: there is none.
UPDATE senders
SET display_name = coalesce($2::text, display_name), credential_reference = coalesce($3::text, credential_reference),
    messages_per_second = coalesce($4::double precision, messages_per_second),
    chosen_messages_per_second = CASE WHEN $4 IS NULL THEN chosen_messages_per_second ELSE $6 END, update_time = $5
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
-- Writes what WhatsApp says of sender $1: number $2, verified name $3, quality $4, level $5, limit $6; rate $7, at $8, and the
-- one a person chose, $10, or null. What changed since $9, the update time when WhatsApp was asked, may be an upgrade it did not
-- tell of yet: it is asked anew. No row: there is none.
UPDATE senders
SET phone_number = $2, verified_name = $3, quality = $4, throughput_level = $5, messaging_limit = $6,
    messages_per_second = $7, chosen_messages_per_second = $10, update_time = $8,
    refresh_time = CASE WHEN update_time = $9 THEN $8::timestamptz END
WHERE id = $1
RETURNING id, display_name, phone_number_id, whatsapp_account_id, phone_number, verified_name, credential_reference, state,
    pause_reason, quality, throughput_level, messaging_limit, messages_per_second, refresh_time, create_time, update_time;

-- name: forget_refresh
-- Has WhatsApp asked anew about senders, named by account $1 and the digits of their phone number $2 (empty: all the account has),
-- position by position.
WITH named AS MATERIALIZED (
    SELECT senders.id
    FROM unnest($1::text[], $2::text[]) AS told (whatsapp_account_id, digits)
    JOIN senders ON senders.whatsapp_account_id = told.whatsapp_account_id
        AND told.digits IN ('', regexp_replace(senders.phone_number, '[^0-9]', '', 'g'))
    ORDER BY senders.id
    FOR NO KEY UPDATE OF senders
)
UPDATE senders
SET refresh_time = NULL, update_time = now()
FROM named
WHERE senders.id = named.id;

-- name: forget_refresh_of
-- Has WhatsApp asked anew about sender $1.
UPDATE senders
SET refresh_time = NULL, update_time = now()
WHERE id = $1;

-- name: list_neighbours
-- Lists the senders of sender $1's WhatsApp account, itself among them.
SELECT id
FROM senders
WHERE whatsapp_account_id = (SELECT whatsapp_account_id FROM senders WHERE id = $1)
ORDER BY id;

-- name: list_sender_ids
-- Lists all senders: some dozens, whatever a business sends.
SELECT id
FROM senders
ORDER BY id;

-- name: list_unrefreshed
-- Lists up to $1 senders about which WhatsApp has not been asked, or not since it announced a change; oldest first.
SELECT id
FROM senders
WHERE refresh_time IS NULL
    AND state IN ('ACTIVE')
ORDER BY id
LIMIT $1;

-- name: restrict_countries
-- Notes that the accounts of senders $1 may not send to countries $2, as WhatsApp said at $3. Returns what was not said within an
-- hour before.
INSERT INTO restricted_countries (whatsapp_account_id, country_code, restrict_time)
SELECT senders.whatsapp_account_id, told.country_code, max(told.restrict_time)
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS told (sender_id, country_code, restrict_time)
JOIN senders ON senders.id = told.sender_id
GROUP BY senders.whatsapp_account_id, told.country_code
ORDER BY senders.whatsapp_account_id, told.country_code
ON CONFLICT ON CONSTRAINT restricted_countries_pkey DO UPDATE
SET restrict_time = excluded.restrict_time
WHERE restricted_countries.restrict_time < excluded.restrict_time - interval '1 hour'
RETURNING country_code;
