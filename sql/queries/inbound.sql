-- What people do comes in: who they are, what they answer, and the 24 hours in which they may be answered freely.

-- name: find_senders
-- Finds which of our senders these WhatsApp numbers are. $1 phone number ids. No row: none of ours.
SELECT phone_number_id, id
FROM senders
WHERE phone_number_id = ANY ($1::text[]);

-- name: find_matches
-- Finds, by position, every contact that a person is: by phone number $1, by WhatsApp's id $2, and contact $3, whom the message
-- went to that they answer; null matches nobody. The number comes first, then the id. No row: unknown.
SELECT
    asked.position::integer AS position, contacts.id, contacts.phone_number, contacts.whatsapp_user_id,
    contacts.whatsapp_state = 'VERIFIED' AND contacts.absent_days = 0 AS is_reached
FROM unnest($1::text[], $2::text[], $3::uuid[]) WITH ORDINALITY AS asked (phone_number, whatsapp_user_id, id, position)
CROSS JOIN LATERAL (
    SELECT id, phone_number, whatsapp_user_id, whatsapp_state, absent_days, 1 AS preference
    FROM contacts
    WHERE contacts.phone_number = asked.phone_number
    UNION ALL
    SELECT id, phone_number, whatsapp_user_id, whatsapp_state, absent_days, 2
    FROM contacts
    WHERE contacts.whatsapp_user_id = asked.whatsapp_user_id
    UNION ALL
    SELECT id, phone_number, whatsapp_user_id, whatsapp_state, absent_days, 3
    FROM contacts
    WHERE contacts.id = asked.id
) AS contacts
ORDER BY asked.position, contacts.preference;

-- name: find_kept
-- Finds which of WhatsApp's ids $1 are kept as interactions. No row: none is.
SELECT whatsapp_message_id
FROM interactions
WHERE whatsapp_message_id = ANY ($1::text[]);

-- name: add_people
-- Makes contacts of people who wrote to us; an opt-out from before an erasure is known by its hash and kept. By position:
-- $1 phone numbers or null, $2 WhatsApp's ids or null, $3 names, $4 and $5 hashes of the two or null. One who is there
-- already is passed over.
INSERT INTO contacts (
    phone_number, whatsapp_user_id, display_name, whatsapp_state, marketing_consent, consent_source, consent_time
)
SELECT
    person.phone_number, person.whatsapp_user_id, person.display_name, 'VERIFIED',
    coalesce(kept.consent, 'UNKNOWN'), coalesce(kept.source, ''), kept.event_time
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
    AS person (phone_number, whatsapp_user_id, display_name, phone_hash, user_hash)
LEFT JOIN LATERAL (
    SELECT latest.consent, latest.source, latest.event_time
    FROM (
        SELECT consent, source, event_time
        FROM consent_events
        WHERE person_hash = ANY (ARRAY[person.phone_hash, person.user_hash])
        ORDER BY date_trunc('second', event_time) DESC, consent DESC, id DESC
        LIMIT 1
    ) AS latest
    WHERE latest.consent = 'OPTED_OUT'
) AS kept ON true
ORDER BY person.phone_number, person.whatsapp_user_id
ON CONFLICT DO NOTHING;

-- name: learn_user_ids
-- Notes WhatsApp's ids of contacts known by phone number alone. $1 contacts (none twice), $2 ids; one that another contact
-- has is passed over.
WITH locked AS MATERIALIZED (
    SELECT contacts.id, told.whatsapp_user_id
    FROM unnest($1::uuid[], $2::text[]) AS told (id, whatsapp_user_id)
    JOIN contacts ON contacts.id = told.id
    WHERE contacts.whatsapp_user_id IS NULL
    ORDER BY contacts.id
    FOR UPDATE OF contacts
)
UPDATE contacts
SET whatsapp_user_id = locked.whatsapp_user_id, update_time = now()
FROM locked
WHERE contacts.id = locked.id
    AND NOT EXISTS (SELECT FROM contacts AS other WHERE other.whatsapp_user_id = locked.whatsapp_user_id);

-- name: learn_told_user_ids
-- Notes WhatsApp's ids, as receipts tell them, of contacts known by phone number alone. $1 contacts (none twice), $2 ids; one
-- that another contact has is passed over. So is a contact that somebody holds: this comes last in a transaction that holds
-- other contacts, and the next receipt tells it again.
WITH free AS MATERIALIZED (
    SELECT contacts.id, told.whatsapp_user_id
    FROM unnest($1::uuid[], $2::text[]) AS told (id, whatsapp_user_id)
    JOIN contacts ON contacts.id = told.id
    WHERE coalesce(contacts.whatsapp_user_id, '') = ''
    ORDER BY contacts.id
    FOR UPDATE OF contacts SKIP LOCKED
), first AS (
    SELECT DISTINCT ON (whatsapp_user_id) id, whatsapp_user_id FROM free ORDER BY whatsapp_user_id, id
)
UPDATE contacts
SET whatsapp_user_id = first.whatsapp_user_id, update_time = now()
FROM first
WHERE contacts.id = first.id
    AND NOT EXISTS (SELECT FROM contacts AS other WHERE other.whatsapp_user_id = first.whatsapp_user_id);

-- name: find_recent_messages
-- Finds, by position, the latest message a contact got from a sender before a moment. $1 contacts, $2 senders, $3 moments,
-- $4 how many seconds back. No row: none in that time. Clocks differ, so a minute's difference is forgiven.
SELECT asked.position::integer AS position, recent.campaign_id, recent.id
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) WITH ORDINALITY AS asked (contact_id, sender_id, at, position)
CROSS JOIN LATERAL (
    SELECT campaign_id, id
    FROM messages
    WHERE messages.contact_id = asked.contact_id
        AND messages.sender_id = asked.sender_id
        AND messages.accept_time <= asked.at + interval '1 minute'
        AND messages.accept_time >= asked.at - make_interval(secs => $4)
    ORDER BY accept_time DESC
    LIMIT 1
) AS recent;

-- name: add_interactions
-- Keeps what people did, by position: WhatsApp id $1, sender $2, contact $3, campaign $4, message $5, kind $6, text $7,
-- payload $8, moment $9. The answer has the WhatsApp ids that are new; none: all had come before.
INSERT INTO interactions (
    whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time
)
SELECT whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time
FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[], $9::timestamptz[]
) AS new (
    whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time
)
ORDER BY whatsapp_message_id
ON CONFLICT ON CONSTRAINT interactions_whatsapp_message_id_key DO NOTHING
RETURNING whatsapp_message_id;

-- name: open_windows
-- Opens or extends service windows. $1 contacts, $2 senders, $3 until when.
INSERT INTO service_windows (contact_id, sender_id, expire_time)
SELECT contact_id, sender_id, max(expire_time)
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS written (contact_id, sender_id, expire_time)
GROUP BY contact_id, sender_id
ORDER BY contact_id, sender_id
ON CONFLICT ON CONSTRAINT service_windows_pkey DO UPDATE
SET expire_time = greatest(service_windows.expire_time, excluded.expire_time);

-- name: find_told_consents
-- Finds which of these choices are on record already, by position. $1 person hashes, $2 consents, $3 moments. No row: none.
SELECT told.position::integer AS position
FROM unnest($1::bytea[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS told (person_hash, consent, event_time, position)
WHERE EXISTS (
    SELECT FROM consent_events
    WHERE consent_events.person_hash = told.person_hash
        AND consent_events.event_time = told.event_time
        AND consent_events.consent = told.consent
);

-- name: find_identities
-- Finds the phone numbers and WhatsApp's ids of contacts. $1 contacts.
SELECT id, phone_number, whatsapp_user_id, whatsapp_state = 'VERIFIED' AND absent_days = 0 AS is_reached
FROM contacts
WHERE id = ANY ($1::uuid[]);

-- name: lock_told_templates
-- Locks templates in their order until the transaction ends, before the first of several statements that change some of
-- them. $1 WhatsApp's template ids. No row: none is ours.
SELECT id
FROM templates
WHERE whatsapp_template_id = ANY ($1::text[])
ORDER BY id
FOR NO KEY UPDATE;

-- name: move_templates
-- Notes what WhatsApp decided about templates, unless they were synced since. $1 WhatsApp's template ids (none twice), $2
-- states, $3 reasons, $4 moments, which WhatsApp tells in whole seconds.
WITH moved AS MATERIALIZED (
    SELECT templates.id, told.state, told.reason, told.event_time
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS told (whatsapp_template_id, state, reason, event_time)
    JOIN templates ON templates.whatsapp_template_id = told.whatsapp_template_id
    WHERE date_trunc('second', templates.sync_time) <= told.event_time
    ORDER BY templates.id
    FOR NO KEY UPDATE OF templates
)
UPDATE templates
SET state = moved.state, rejected_reason = moved.reason, sync_time = moved.event_time, update_time = now()
FROM moved
WHERE templates.id = moved.id;

-- name: recategorise_templates
-- Notes in which category WhatsApp put templates, unless they were synced since: who opted out of marketing depends on it. $1
-- WhatsApp's template ids (none twice), $2 categories, $3 moments.
WITH moved AS MATERIALIZED (
    SELECT templates.id, told.category
    FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS told (whatsapp_template_id, category, event_time)
    JOIN templates ON templates.whatsapp_template_id = told.whatsapp_template_id
    WHERE date_trunc('second', templates.sync_time) <= told.event_time
    ORDER BY templates.id
    FOR NO KEY UPDATE OF templates
)
UPDATE templates
SET template_category = moved.category, update_time = now()
FROM moved
WHERE templates.id = moved.id;

-- name: requalify_templates
-- Notes how good WhatsApp says templates are, unless they were synced since. $1 WhatsApp's template ids (none twice), $2
-- qualities, $3 moments.
WITH moved AS MATERIALIZED (
    SELECT templates.id, told.quality
    FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS told (whatsapp_template_id, quality, event_time)
    JOIN templates ON templates.whatsapp_template_id = told.whatsapp_template_id
    WHERE date_trunc('second', templates.sync_time) <= told.event_time
    ORDER BY templates.id
    FOR NO KEY UPDATE OF templates
)
UPDATE templates
SET quality = moved.quality, update_time = now()
FROM moved
WHERE templates.id = moved.id;

-- name: outdate_templates
-- Notes that templates $1, by WhatsApp's ids, have other texts since $2, which a sync brings; needs the lock of
-- lock_told_templates.
UPDATE templates
SET outdated_time = $2
WHERE whatsapp_template_id = ANY ($1::text[]);

-- name: keep_announcements
-- Keeps the last thing announced of accounts $1 or, by their digits $2, of numbers of theirs (empty: of the account itself), none
-- twice: whether it blocks $3, when it happened $4, and until when it blocks $5, or null. Returns what is news: not what is older
-- than what is known, nor what is told again. Of what happened in the same second, as WhatsApp tells it, the end counts.
INSERT INTO announcements (whatsapp_account_id, digits, is_blocked, event_time, end_time)
SELECT whatsapp_account_id, digits, is_blocked, event_time, end_time
FROM unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[], $5::timestamptz[])
    AS told (whatsapp_account_id, digits, is_blocked, event_time, end_time)
ORDER BY whatsapp_account_id, digits
ON CONFLICT ON CONSTRAINT announcements_pkey DO UPDATE
SET is_blocked = excluded.is_blocked, event_time = excluded.event_time, end_time = excluded.end_time
WHERE (announcements.event_time, NOT announcements.is_blocked) < (excluded.event_time, NOT excluded.is_blocked)
RETURNING whatsapp_account_id, digits;
