-- name: add_consent_events
-- Keeps proof of consents, one per position of the arrays: contact $1, person's hash $2, consent $3, source $4,
-- evidence $5, moment $6.
INSERT INTO consent_events (contact_id, person_hash, consent, source, evidence, event_time)
SELECT contact_id, person_hash, consent, source, evidence, event_time
FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS event (contact_id, person_hash, consent, source, evidence, event_time);

-- name: apply_consents
-- Writes the newest consent of each contact, one per position: contact $1, consent $2, source $3, moment $4; at $5.
-- A consent older than the one on record changes nothing. WhatsApp tells whole seconds: within one, the opt-out counts.
-- Returns the contacts whose record was written.
WITH newest AS (
    SELECT DISTINCT ON (contact_id) contact_id, consent, source, event_time
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) WITH ORDINALITY
        AS event (contact_id, consent, source, event_time, position)
    ORDER BY contact_id, date_trunc('second', event_time) DESC, consent DESC, event_time DESC, position DESC
), locked AS MATERIALIZED (
    SELECT id
    FROM contacts
    WHERE id = ANY ($1::uuid[])
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE contacts
SET marketing_consent = newest.consent, consent_source = newest.source, consent_time = newest.event_time,
    update_time = $5
FROM newest JOIN locked ON locked.id = newest.contact_id
WHERE contacts.id = locked.id
    AND (
        contacts.consent_time IS NULL
        OR contacts.consent_time < newest.event_time
        OR (contacts.consent_time = newest.event_time AND contacts.marketing_consent <> 'OPTED_OUT')
        OR (newest.consent = 'OPTED_OUT' AND date_trunc('second', contacts.consent_time) <= newest.event_time)
    )
RETURNING contacts.id;

-- name: find_kept_opt_outs
-- Finds which of the contacts $1, by the hashes $2 of what they are known by now, are people who opted out when they were other
-- contacts or none, and have not agreed since. No row: nothing changes.
SELECT DISTINCT ON (contacts.id) contacts.id, asked.person_hash, kept.source, kept.event_time
FROM unnest($1::uuid[], $2::bytea[]) AS asked (id, person_hash)
JOIN contacts ON contacts.id = asked.id
CROSS JOIN LATERAL (
    SELECT consent, source, event_time
    FROM consent_events
    WHERE consent_events.person_hash = asked.person_hash
    ORDER BY date_trunc('second', event_time) DESC, consent DESC, id DESC
    LIMIT 1
) AS kept
WHERE kept.consent = 'OPTED_OUT'
    AND contacts.marketing_consent <> 'OPTED_OUT'
    AND (contacts.consent_time IS NULL OR date_trunc('second', contacts.consent_time) <= kept.event_time)
ORDER BY contacts.id, kept.event_time DESC;

-- name: skip_marketing_messages
-- Skips what is PENDING of marketing for contacts $1, who opted out. Returns the messages it skipped. Their messages are
-- found by the contact and locked by key: the index of what is PENDING holds that of all contacts, so the state is said
-- in a way that no index answers. One that somebody holds is passed over, since an opt-out must not wait: whoever claims it
-- later skips it.
WITH theirs AS MATERIALIZED (
    SELECT campaign_id, id, template_id, state
    FROM messages
    WHERE contact_id = ANY ($1::uuid[])
), waiting AS MATERIALIZED (
    SELECT messages.campaign_id, messages.id
    FROM theirs
    JOIN messages ON messages.campaign_id = theirs.campaign_id AND messages.id = theirs.id
    JOIN campaigns ON campaigns.id = theirs.campaign_id
    JOIN templates ON templates.id = coalesce(theirs.template_id, campaigns.template_id)
    WHERE theirs.state = 'PENDING'
        AND messages.state || '' = 'PENDING'
        AND templates.template_category = 'MARKETING'
    ORDER BY messages.campaign_id, messages.id
    FOR UPDATE OF messages SKIP LOCKED
)
UPDATE messages
SET state = 'SKIPPED', reason = 'OPTED_OUT'
FROM waiting
WHERE messages.campaign_id = waiting.campaign_id
    AND messages.id = waiting.id
RETURNING messages.campaign_id, messages.id;
