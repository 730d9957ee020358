-- name: hold_off
-- Keeps erasures waiting until the transaction ends, and waits for the one that is going on.
SELECT pg_advisory_xact_lock_shared(hashtext('erasures'), 0);

-- name: take_turn
-- Waits until nobody applies what WhatsApp told, and keeps all others from it until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('erasures'), 0);

-- name: find_former_identities
-- Finds by what contact $1 was known before it changed its number or id. No row: there is no such contact.
SELECT former_identities
FROM contacts
WHERE id = $1;

-- name: forget_checkpoints
-- Empties the checkpoints of campaigns whose messages are all made, where contact $1 was the last one.
UPDATE campaigns
SET expand_after_contact_id = NULL
WHERE expand_after_contact_id = $1
    AND expand_complete_time IS NOT NULL;

-- name: forget_parked_receipts
-- Deletes parked receipts that tell of someone with the traces $1, or of a message to contact $2. The table holds only what
-- came before its message's row, so it is small.
DELETE FROM parked_receipts
WHERE traces && $1::bigint[]
    OR EXISTS (
        SELECT FROM messages
        WHERE messages.contact_id = $2
            AND receipt ->> 'whatsapp_message_id' = messages.whatsapp_message_id
    );

-- name: lock_messages_to_contact
-- Locks the messages to contact $1, as all do who claim them or write their ids: what comes later finds the person gone.
-- Returns for how many seconds at most one of them is on its way out, NULL when none is: once its lease has ended, nobody
-- sends it any more.
WITH theirs AS MATERIALIZED (
    SELECT state, lease_expire_time
    FROM messages
    WHERE contact_id = $1
    ORDER BY campaign_id, id
    FOR UPDATE
)
SELECT extract(EPOCH FROM max(lease_expire_time) - now())::float8
FROM theirs
WHERE state = 'SENDING'
    AND lease_expire_time >= now();

-- name: forget_attempts
-- Empties WhatsApp's ids in earlier attempts of the messages to contact $1, which are locked: they hold the number, encoded.
-- Returns the ids.
WITH theirs AS MATERIALIZED (
    SELECT message_attempts.campaign_id, message_attempts.message_id, message_attempts.attempt
    FROM messages
    JOIN message_attempts
        ON message_attempts.campaign_id = messages.campaign_id
        AND message_attempts.message_id = messages.id
    WHERE messages.contact_id = $1
    ORDER BY messages.campaign_id, messages.id, message_attempts.attempt
    FOR UPDATE OF message_attempts
)
UPDATE message_attempts
SET whatsapp_message_id = NULL
FROM theirs
WHERE message_attempts.campaign_id = theirs.campaign_id
    AND message_attempts.message_id = theirs.message_id
    AND message_attempts.attempt = theirs.attempt
RETURNING old.whatsapp_message_id;

-- name: forget_messages
-- Empties, at $2, what tells of contact $1 in its messages: values, WhatsApp's id and words, the contact. What was not sent never
-- will be; what is in doubt, or would be at the keeper's next round, is not sent again, and a late receipt may still lift it.
-- Returns the messages and WhatsApp's ids.
WITH theirs AS MATERIALIZED (
    SELECT campaign_id, id
    FROM messages
    WHERE contact_id = $1
    ORDER BY campaign_id, id
    FOR UPDATE
)
UPDATE messages
SET contact_id = NULL, parameters = NULL, whatsapp_message_id = NULL, error_title = '',
    state = CASE WHEN state = 'PENDING' THEN 'SKIPPED' WHEN state IN ('SENDING', 'UNCONFIRMED') THEN 'FAILED' ELSE state END,
    reason = CASE WHEN state = 'PENDING' THEN 'ERASED' WHEN state IN ('SENDING', 'UNCONFIRMED') THEN 'OUTCOME_UNKNOWN' ELSE reason END,
    fail_time = CASE WHEN state IN ('SENDING', 'UNCONFIRMED') THEN $2 ELSE fail_time END
FROM theirs
WHERE messages.campaign_id = theirs.campaign_id
    AND messages.id = theirs.id
RETURNING messages.id, old.whatsapp_message_id;

-- name: forget_interactions
-- Empties what contact $1 wrote and tapped; that something was stays counted. Returns WhatsApp's ids.
UPDATE interactions
SET contact_id = NULL, whatsapp_message_id = NULL, text = '', payload = '{}'
WHERE contact_id = $1
RETURNING old.whatsapp_message_id;

-- name: forget_consent_events
-- Empties the contact and the evidence in the consents of contact $1; the person's hash stays.
UPDATE consent_events
SET contact_id = NULL, evidence = ''
WHERE contact_id = $1;

-- name: keep_opt_out
-- Keeps the opt-out of contact $1 under each of the person's hashes $2, so that it is known by number and by WhatsApp's
-- id. Adds nothing for contacts who did not opt out.
INSERT INTO consent_events (contact_id, person_hash, consent, source, event_time)
SELECT NULL, hash.person_hash, 'OPTED_OUT', contacts.consent_source, coalesce(contacts.consent_time, now())
FROM contacts CROSS JOIN unnest($2::bytea[]) AS hash (person_hash)
WHERE contacts.id = $1
    AND contacts.marketing_consent = 'OPTED_OUT';

-- name: forget_replies
-- Empties kept replies that tell of contact $1: those marked with it, and replies of batches (method $2) that hold one of
-- the traces $3.
UPDATE idempotent_requests
SET reply = NULL, contact_id = NULL
WHERE contact_id = $1
    OR (
        method = $2
        AND api_key_id IN (SELECT id FROM api_keys)
        AND EXISTS (SELECT FROM unnest($3::bytea[]) AS trace (bytes) WHERE position(trace.bytes IN reply) > 0)
    );

-- name: remember_erasure
-- Notes, at $2, that the people with the traces $1 are not to be known any more.
INSERT INTO erased_people (trace, erase_time)
SELECT trace, $2 FROM unnest($1::bigint[]) AS erased (trace)
ON CONFLICT ON CONSTRAINT erased_people_pkey DO UPDATE SET erase_time = greatest(erased_people.erase_time, excluded.erase_time);

-- name: find_erasures
-- Finds which of the traces $1 are of people who were erased, and when. No row: none is.
SELECT trace, erase_time
FROM erased_people
WHERE trace = ANY ($1::bigint[]);

-- name: delete_old_erasures
-- Forgets erasures before $1.
DELETE FROM erased_people
WHERE erase_time < $1;

-- name: delete_contact
-- Deletes contact $1 with its categories and service windows. No row: there is no such contact.
DELETE FROM contacts
WHERE id = $1
RETURNING id;
