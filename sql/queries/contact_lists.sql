-- name: measure_contacts
-- Returns how many contacts are in category $1, and, up to 5000, in one of consents $2 and of states $3: what a list of
-- both, or of one with a prefix, is best entered by.
SELECT
    coalesce((SELECT contact_count FROM categories WHERE id = $1), 0) AS category,
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM unnest($2::text[]) AS consents (consent)
            CROSS JOIN unnest($3::text[]) AS states (state)
            CROSS JOIN LATERAL (
                SELECT id
                FROM contacts
                WHERE marketing_consent = consent
                    AND whatsapp_state = state
                ORDER BY id NULLS FIRST
                LIMIT 5000
            ) AS matching
            LIMIT 5000
        ) AS counted
    ) AS states;

-- name: list_contacts
-- Lists the first $2 contacts after $1, in id order.
SELECT contacts.id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories
FROM contacts
WHERE id > $1
ORDER BY id
LIMIT $2;

-- name: list_contacts_in_states
-- Lists the first $2 contacts after $1 in one of consents $4 and of states $5, in id order: an index holds each pair in
-- this order. core/repositories/filters.py adds conditions at the marks. Looks at $3 contacts at most and then also shows
-- the last of them, for the next page to go on from.
SELECT contacts.id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories,
    position = $3 AS is_last_walked,
    (true /* filters */) AS is_match
FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS position
    FROM (
        SELECT arm.id
        FROM unnest($4::text[]) AS consents (consent)
        CROSS JOIN unnest($5::text[]) AS states (state)
        CROSS JOIN LATERAL (
            SELECT id
            FROM contacts
            WHERE marketing_consent = consent
                AND whatsapp_state = state
                AND id > $1
            ORDER BY id NULLS FIRST
            LIMIT $3
        ) AS arm
        ORDER BY arm.id
        LIMIT $3
    ) AS merged
) AS walked
CROSS JOIN LATERAL (SELECT * FROM contacts WHERE contacts.id = walked.id LIMIT 1) AS contacts
WHERE (true /* filters */)
    OR position = $3
ORDER BY walked.id
LIMIT $2;

-- name: list_contacts_in_category
-- Lists the first $2 contacts after $1 in category $3, in id order; core/repositories/filters.py adds conditions at the
-- marks. Looks at 5000 members at most and then also shows the last of them, for the next page to go on from.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories,
    position = 5000 AS is_last_walked,
    (true /* filters */) AS is_match
FROM (
    SELECT contact_id, row_number() OVER (ORDER BY contact_id) AS position
    FROM category_contacts
    WHERE category_id = $3
        AND contact_id > $1
    ORDER BY contact_id
    LIMIT 5000
) AS walked
CROSS JOIN LATERAL (SELECT * FROM contacts WHERE contacts.id = walked.contact_id LIMIT 1) AS contacts
WHERE (true /* filters */)
    OR position = 5000
ORDER BY walked.contact_id
LIMIT $2;

-- name: list_contacts_by_phone_number
-- Lists the first $2 contacts after number $1 whose number lies between $3 and $4, in the order of numbers; goes on as
-- list_contacts_in_states does.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories,
    position = 5000 AS is_last_walked,
    (true /* filters */) AS is_match
FROM (
    SELECT *, row_number() OVER (ORDER BY phone_number COLLATE "C") AS position
    FROM contacts
    WHERE phone_number COLLATE "C" > $1
        AND phone_number COLLATE "C" >= $3
        AND phone_number COLLATE "C" < $4
    ORDER BY phone_number COLLATE "C"
    LIMIT 5000
) AS contacts
WHERE (true /* filters */)
    OR position = 5000
ORDER BY phone_number COLLATE "C"
LIMIT $2;

-- name: list_contacts_by_display_name
-- Lists the first $3 contacts after name $1 (in any case) and id $2 whose name comes before $4, in the order of names;
-- goes on as list_contacts_in_states does.
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories,
    lower(display_name) AS lower_name,
    position = 5000 AS is_last_walked,
    (true /* filters */) AS is_match
FROM (
    SELECT *, row_number() OVER (ORDER BY lower(display_name) COLLATE "C", id) AS position
    FROM contacts
    WHERE (lower(display_name) COLLATE "C", id) > (lower($1), $2)
        AND lower(display_name) COLLATE "C" < lower($4)
    ORDER BY lower(display_name) COLLATE "C", id
    LIMIT 5000
) AS contacts
WHERE (true /* filters */)
    OR position = 5000
ORDER BY lower(display_name) COLLATE "C", id
LIMIT $3;

-- name: list_few_contacts_in_category
-- Lists the first $1 contacts of small category $2, collected before they are put in order;
-- core/repositories/filters.py adds conditions, where the list goes on, and its order at the marks.
WITH few AS MATERIALIZED (
    SELECT contact_id FROM category_contacts WHERE category_id = $2
)
SELECT id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories,
    lower(display_name) AS lower_name
FROM few
CROSS JOIN LATERAL (SELECT * FROM contacts WHERE contacts.id = few.contact_id LIMIT 1) AS contacts
WHERE true
    /* filters */
ORDER BY /* order */ contacts.id
LIMIT $1;

-- name: list_few_contacts_in_states
-- Lists the first $1 contacts in one of consents $2 and of states $3 that few are in, collected before they are put in
-- order; marks as above.
WITH few AS MATERIALIZED (
    SELECT matching.id
    FROM unnest($2::text[]) AS consents (consent)
    CROSS JOIN unnest($3::text[]) AS states (state)
    CROSS JOIN LATERAL (
        SELECT id
        FROM contacts
        WHERE marketing_consent = consent
            AND whatsapp_state = state
        ORDER BY id NULLS FIRST
    ) AS matching
)
SELECT contacts.id, phone_number, whatsapp_user_id, display_name, language_code, time_zone, attributes, whatsapp_state,
    marketing_consent, consent_time, consent_source, create_time, update_time,
    ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id ORDER BY category_id) AS categories,
    lower(display_name) AS lower_name
FROM few
CROSS JOIN LATERAL (SELECT * FROM contacts WHERE contacts.id = few.id LIMIT 1) AS contacts
WHERE true
    /* filters */
ORDER BY /* order */ contacts.id
LIMIT $1;

-- name: count_contacts
-- Counts contacts. core/repositories/filters.py adds conditions at the mark.
SELECT count(*)
FROM contacts
WHERE true
    /* filters */;

-- name: count_contacts_in_category
-- Counts the contacts in category $1. core/repositories/filters.py adds conditions at the mark.
SELECT count(*)
FROM category_contacts AS members
JOIN contacts ON contacts.id = members.contact_id
WHERE members.category_id = $1
    /* filters */;
