-- name: prepare_import_stage
-- Makes the table in which a chunk of an import waits; it is this session's own and empty after each transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS import_stage (
    position integer NOT NULL,
    phone_number text,
    whatsapp_user_id text,
    display_name text NOT NULL,
    language_code text NOT NULL,
    time_zone text NOT NULL,
    attributes text NOT NULL,
    consent text NOT NULL,
    person_hashes bytea[] NOT NULL,
    category_ids uuid[] NOT NULL,
    is_repeat boolean NOT NULL
) ON COMMIT DELETE ROWS;

-- name: find_user_numbers
-- Returns the phone number on record, or null, for those of WhatsApp's ids $1 that a contact has.
SELECT whatsapp_user_id, phone_number
FROM contacts
WHERE whatsapp_user_id = ANY ($1::text[]);

-- name: take_import_conflicts
-- Takes out of the stage the rows whose phone number and WhatsApp id belong to two different contacts; returns their
-- positions.
DELETE FROM import_stage AS staged
USING contacts AS by_user
WHERE staged.phone_number IS NOT NULL
    AND by_user.whatsapp_user_id = staged.whatsapp_user_id
    AND by_user.phone_number IS DISTINCT FROM staged.phone_number
    AND (
        by_user.phone_number IS NOT NULL
        OR EXISTS (SELECT FROM contacts WHERE contacts.phone_number = staged.phone_number)
    )
RETURNING staged.position;

-- name: adopt_import_numbers
-- Gives contacts that had only a WhatsApp id the phone number that the stage knows for it, at $1. Returns them.
UPDATE contacts
SET phone_number = staged.phone_number, update_time = $1
FROM import_stage AS staged
WHERE contacts.whatsapp_user_id = staged.whatsapp_user_id
    AND contacts.phone_number IS NULL
    AND staged.phone_number IS NOT NULL
RETURNING contacts.id;

-- name: upsert_by_phone_number
-- Creates or changes, at $1, the contacts of staged rows with a phone number, in key order. What a row leaves empty
-- stays, attributes are merged, an equal contact is not written, a consent counts where none is on record; an opt-out
-- from before an erasure comes back. Returns what was written, and whether it was created.
INSERT INTO contacts (phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes,
    marketing_consent, consent_source, consent_time, create_time, update_time)
SELECT phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes::jsonb,
    coalesce(kept.consent, staged.consent),
    coalesce(kept.source, CASE staged.consent WHEN 'UNKNOWN' THEN '' ELSE 'import' END),
    coalesce(kept.event_time, CASE staged.consent WHEN 'UNKNOWN' THEN NULL ELSE $1::timestamptz END), $1, $1
FROM import_stage AS staged LEFT JOIN LATERAL (
    SELECT consent, source, event_time FROM consent_events
    WHERE person_hash = ANY (staged.person_hashes)
    ORDER BY date_trunc('second', event_time) DESC, consent DESC, id DESC LIMIT 1
) AS kept ON kept.consent = 'OPTED_OUT'
WHERE phone_number IS NOT NULL
    AND NOT (is_repeat AND EXISTS (SELECT FROM contacts WHERE contacts.phone_number = staged.phone_number))
ORDER BY phone_number
ON CONFLICT ON CONSTRAINT contacts_phone_number_key DO UPDATE
SET update_time = excluded.update_time,
    whatsapp_user_id = coalesce(excluded.whatsapp_user_id, contacts.whatsapp_user_id),
    display_name = coalesce(nullif(excluded.display_name, ''), contacts.display_name),
    language_code = coalesce(nullif(excluded.language_code, ''), contacts.language_code),
    time_zone = coalesce(nullif(excluded.time_zone, ''), contacts.time_zone),
    attributes = contacts.attributes || excluded.attributes,
    (marketing_consent, consent_source, consent_time) = ROW(
        CASE contacts.marketing_consent WHEN 'UNKNOWN' THEN excluded.marketing_consent ELSE contacts.marketing_consent END,
        CASE contacts.marketing_consent WHEN 'UNKNOWN' THEN excluded.consent_source ELSE contacts.consent_source END,
        CASE contacts.marketing_consent WHEN 'UNKNOWN' THEN excluded.consent_time ELSE contacts.consent_time END
    )
WHERE excluded.whatsapp_user_id <> coalesce(contacts.whatsapp_user_id, '')
    OR excluded.display_name NOT IN ('', contacts.display_name)
    OR excluded.language_code NOT IN ('', contacts.language_code)
    OR excluded.time_zone NOT IN ('', contacts.time_zone)
    OR NOT contacts.attributes @> excluded.attributes
    OR (contacts.marketing_consent = 'UNKNOWN' AND excluded.marketing_consent <> 'UNKNOWN')
RETURNING new.id, (old.id IS NULL) AS is_created;

-- name: upsert_by_user_id
-- Does what upsert_by_phone_number does for staged rows that have only WhatsApp's id.
INSERT INTO contacts (phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes,
    marketing_consent, consent_source, consent_time, create_time, update_time)
SELECT phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes::jsonb,
    coalesce(kept.consent, staged.consent),
    coalesce(kept.source, CASE staged.consent WHEN 'UNKNOWN' THEN '' ELSE 'import' END),
    coalesce(kept.event_time, CASE staged.consent WHEN 'UNKNOWN' THEN NULL ELSE $1::timestamptz END), $1, $1
FROM import_stage AS staged LEFT JOIN LATERAL (
    SELECT consent, source, event_time FROM consent_events
    WHERE person_hash = ANY (staged.person_hashes)
    ORDER BY date_trunc('second', event_time) DESC, consent DESC, id DESC LIMIT 1
) AS kept ON kept.consent = 'OPTED_OUT'
WHERE phone_number IS NULL
    AND NOT (is_repeat AND EXISTS (SELECT FROM contacts WHERE contacts.whatsapp_user_id = staged.whatsapp_user_id))
ORDER BY whatsapp_user_id
ON CONFLICT ON CONSTRAINT contacts_whatsapp_user_id_key DO UPDATE
SET update_time = excluded.update_time,
    display_name = coalesce(nullif(excluded.display_name, ''), contacts.display_name),
    language_code = coalesce(nullif(excluded.language_code, ''), contacts.language_code),
    time_zone = coalesce(nullif(excluded.time_zone, ''), contacts.time_zone),
    attributes = contacts.attributes || excluded.attributes,
    (marketing_consent, consent_source, consent_time) = ROW(
        CASE contacts.marketing_consent WHEN 'UNKNOWN' THEN excluded.marketing_consent ELSE contacts.marketing_consent END,
        CASE contacts.marketing_consent WHEN 'UNKNOWN' THEN excluded.consent_source ELSE contacts.consent_source END,
        CASE contacts.marketing_consent WHEN 'UNKNOWN' THEN excluded.consent_time ELSE contacts.consent_time END
    )
WHERE excluded.display_name NOT IN ('', contacts.display_name)
    OR excluded.language_code NOT IN ('', contacts.language_code)
    OR excluded.time_zone NOT IN ('', contacts.time_zone)
    OR NOT contacts.attributes @> excluded.attributes
    OR (contacts.marketing_consent = 'UNKNOWN' AND excluded.marketing_consent <> 'UNKNOWN')
RETURNING new.id, (old.id IS NULL) AS is_created;

-- name: fill_from_repeats
-- Adds at $1 what repeated rows know and their contacts, written by an earlier row, lack. Returns the contacts changed.
WITH repeats AS (
    SELECT DISTINCT ON (phone_number, whatsapp_user_id)
        phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes::jsonb AS attributes, consent
    FROM import_stage WHERE is_repeat ORDER BY phone_number, whatsapp_user_id, position
), known AS MATERIALIZED (
    SELECT found.id, repeats.display_name, language_code, time_zone, attributes, consent
    FROM repeats CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE contacts.phone_number = repeats.phone_number
        UNION ALL
        SELECT id FROM contacts
        WHERE repeats.phone_number IS NULL AND contacts.whatsapp_user_id = repeats.whatsapp_user_id
    ) AS found
), filled AS (
    SELECT contacts.id, coalesce(nullif(contacts.display_name, ''), known.display_name) AS display_name,
        coalesce(nullif(contacts.language_code, ''), known.language_code) AS language_code,
        coalesce(nullif(contacts.time_zone, ''), known.time_zone) AS time_zone,
        known.attributes || contacts.attributes AS attributes,
        known.consent <> 'UNKNOWN' AND (contacts.marketing_consent = 'UNKNOWN'
            OR (known.consent = 'OPTED_OUT' AND contacts.consent_source = 'import'
                AND contacts.marketing_consent = 'OPTED_IN')) AS has_consent, known.consent
    FROM known JOIN contacts USING (id) ORDER BY contacts.id FOR NO KEY UPDATE OF contacts
)
UPDATE contacts
SET display_name = filled.display_name, language_code = filled.language_code, time_zone = filled.time_zone,
    attributes = filled.attributes, update_time = $1,
    marketing_consent = CASE WHEN has_consent THEN filled.consent ELSE contacts.marketing_consent END,
    consent_source = CASE WHEN has_consent THEN 'import' ELSE contacts.consent_source END,
    consent_time = CASE WHEN has_consent THEN $1 ELSE contacts.consent_time END
FROM filled
WHERE contacts.id = filled.id AND (has_consent OR contacts.attributes <> filled.attributes
    OR (contacts.display_name, contacts.language_code, contacts.time_zone)
        <> (filled.display_name, filled.language_code, filled.time_zone))
RETURNING contacts.id;

-- name: find_staged_contacts
-- Returns for each staged row its position and the contact it is about.
SELECT staged.position, found.id
FROM import_stage AS staged CROSS JOIN LATERAL (
    SELECT id FROM contacts WHERE contacts.phone_number = staged.phone_number
    UNION ALL
    SELECT id FROM contacts
    WHERE staged.phone_number IS NULL AND contacts.whatsapp_user_id = staged.whatsapp_user_id
    LIMIT 1
) AS found;

-- name: add_staged_memberships
-- Puts the contacts of staged rows in the rows' categories, in key order. Returns the contact of each new membership.
INSERT INTO category_contacts (category_id, contact_id)
SELECT DISTINCT unnest(staged.category_ids) AS category_id, found.id
FROM import_stage AS staged CROSS JOIN LATERAL (
    SELECT id FROM contacts WHERE contacts.phone_number = staged.phone_number
    UNION ALL
    SELECT id FROM contacts
    WHERE staged.phone_number IS NULL AND contacts.whatsapp_user_id = staged.whatsapp_user_id
    LIMIT 1
) AS found
ORDER BY category_id, found.id
ON CONFLICT ON CONSTRAINT category_contacts_pkey DO NOTHING
RETURNING contact_id;

-- name: add_import_consent_events
-- Keeps proof of the consents that the import gave at $1 to contacts $2.
INSERT INTO consent_events (contact_id, person_hash, consent, source, event_time)
SELECT found.id, staged.person_hashes[1], found.marketing_consent, found.consent_source, $1::timestamptz
FROM import_stage AS staged CROSS JOIN LATERAL (
    SELECT id, marketing_consent, consent_source, consent_time FROM contacts
    WHERE contacts.phone_number = staged.phone_number
    UNION ALL
    SELECT id, marketing_consent, consent_source, consent_time FROM contacts
    WHERE staged.phone_number IS NULL AND contacts.whatsapp_user_id = staged.whatsapp_user_id
    LIMIT 1
) AS found
WHERE staged.consent <> 'UNKNOWN'
    AND found.id = ANY ($2::uuid[])
    AND found.consent_source = 'import'
    AND found.consent_time = $1
ORDER BY found.id
RETURNING contact_id;
