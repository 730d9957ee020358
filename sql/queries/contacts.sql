-- name: get_contact
-- Reads contact $1 with its categories. No row: there is no such contact.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories
FROM contacts
WHERE id = $1;

-- name: lock_contact
-- Reads contact $1 and keeps others from changing it until the transaction ends. No row: there is no such contact.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories
FROM contacts
WHERE id = $1
FOR UPDATE;

-- name: get_contacts
-- Reads the contacts of $1 that exist, in id order.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories
FROM contacts
WHERE id = ANY ($1::uuid[])
ORDER BY id;

-- name: create_contact
-- Creates a contact at $8: phone number $1, WhatsApp's id $2 (either may be null), display name $3, language $4, time
-- zone $5, attributes $6; $7 is the person's hashes, by which an opt-out from before an erasure is known and kept.
WITH kept AS (
    SELECT consent, source, event_time
    FROM consent_events
    WHERE person_hash = ANY ($7::bytea[])
    ORDER BY date_trunc('second', event_time) DESC, consent DESC, id DESC
    LIMIT 1
), opted_out AS (
    SELECT consent, source, event_time FROM kept WHERE consent = 'OPTED_OUT'
)
INSERT INTO contacts (phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes,
    marketing_consent, consent_source, consent_time, create_time, update_time)
SELECT $1, $2, $3, $4, $5, $6::jsonb, coalesce((SELECT consent FROM opted_out), 'UNKNOWN'),
    coalesce((SELECT source FROM opted_out), ''), (SELECT event_time FROM opted_out), $8, $8
RETURNING id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time, '{}'::uuid[] AS categories;

-- name: update_contact
-- Writes all that callers may set of contact $1 at $8: phone number $2, WhatsApp's id $3, display name $4, language $5,
-- time zone $6, attributes $7. A new number says nothing of WhatsApp yet. No row: there is no such contact.
UPDATE contacts
SET phone_number = $2, whatsapp_user_id = $3, display_name = $4, language_code = $5, time_zone = $6,
    attributes = $7::jsonb, update_time = $8,
    whatsapp_state = CASE WHEN phone_number IS DISTINCT FROM $2 THEN 'UNKNOWN' ELSE whatsapp_state END
WHERE id = $1
RETURNING id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories;
