-- Contacts whose person is reached otherwise now.

-- name: move_contact
-- Moves contact $1, at $6, from number $2 and WhatsApp's id $3 to number $4 and id $5; what is null was not told. A new number
-- has a new id, so the old one goes. Told at $7: a contact made since is someone else's, or knows better. No row: nothing
-- changed.
UPDATE contacts
SET
    phone_number = coalesce($4, phone_number),
    whatsapp_user_id = CASE WHEN $5 IS NOT NULL THEN $5 WHEN $4 <> phone_number THEN NULL ELSE whatsapp_user_id END,
    whatsapp_state = 'VERIFIED',
    update_time = $6
WHERE id = $1
    AND (phone_number = $2 OR whatsapp_user_id = $3)
    AND (phone_number IS DISTINCT FROM coalesce($4, phone_number) OR whatsapp_user_id IS DISTINCT FROM $5)
    AND create_time <= $7::timestamptz + interval '1 minute'
RETURNING id;

-- name: join_contact
-- Lets contact $2 stand in for contact $1, at $3: it is put into the same categories, and the old number counts as not being
-- on WhatsApp since $4. No row: that was done before.
WITH locked AS MATERIALIZED (
    SELECT id, whatsapp_state FROM contacts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE
), joined AS (
    INSERT INTO category_contacts (category_id, contact_id)
    SELECT category_id, $2 FROM category_contacts WHERE contact_id = $1
    ORDER BY category_id
    ON CONFLICT ON CONSTRAINT category_contacts_pkey DO NOTHING
)
UPDATE contacts
SET whatsapp_state = 'ABSENT', absent_date = $4::timestamptz::date, update_time = $3
FROM locked
WHERE contacts.id = $1
    AND locked.id = $1
    AND locked.whatsapp_state <> 'ABSENT'
RETURNING contacts.id;

-- name: skip_messages
-- Skips what is PENDING for contact $1, whose number is given up. Found and locked as in skip_marketing_messages; one that
-- somebody holds is passed over: what says that the number is gone does not wait. Returns the messages it skipped.
WITH theirs AS MATERIALIZED (
    SELECT campaign_id, id, state
    FROM messages
    WHERE contact_id = $1
), waiting AS MATERIALIZED (
    SELECT messages.campaign_id, messages.id
    FROM theirs
    JOIN messages ON messages.campaign_id = theirs.campaign_id AND messages.id = theirs.id
    WHERE theirs.state = 'PENDING'
        AND messages.state || '' = 'PENDING'
    ORDER BY messages.campaign_id, messages.id
    FOR UPDATE OF messages SKIP LOCKED
)
UPDATE messages
SET state = 'SKIPPED', reason = 'NO_WHATSAPP'
FROM waiting
WHERE messages.campaign_id = waiting.campaign_id
    AND messages.id = waiting.id
RETURNING messages.campaign_id, messages.id;

-- name: find_consent
-- Reads what contact $1 chose about marketing. No row: nothing.
SELECT marketing_consent, consent_source, consent_time
FROM contacts
WHERE id = $1
    AND marketing_consent <> 'UNKNOWN'
    AND consent_time IS NOT NULL;
