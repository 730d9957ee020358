-- name: get_category
-- Reads category $1. No row: there is no such category.
SELECT id, display_name, description, contact_count, create_time, update_time
FROM categories
WHERE id = $1;

-- name: list_categories
-- Lists the first $2 categories after $1, in id order.
SELECT id, display_name, description, contact_count, create_time, update_time
FROM categories
WHERE id > $1
ORDER BY id
LIMIT $2;

-- name: create_category
-- Creates a category at $3: display name $1, description $2.
INSERT INTO categories (display_name, description, create_time, update_time)
VALUES ($1, $2, $3, $3)
RETURNING id, display_name, description, contact_count, create_time, update_time;

-- name: update_category
-- Gives category $1 display name $2 and description $3 at $4; null leaves one as it is. No row: no such category.
UPDATE categories
SET display_name = coalesce($2::text, display_name), description = coalesce($3::text, description), update_time = $4
WHERE id = $1
RETURNING id, display_name, description, contact_count, create_time, update_time;

-- name: delete_category
-- Deletes category $1; its contacts stay. No row: there is no such category.
DELETE FROM categories
WHERE id = $1
RETURNING id;

-- name: find_category_campaign
-- Finds a campaign that is not over and has category $1 in its audience. No row: none has.
SELECT id
FROM campaigns
WHERE state IN ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED')
    AND (category_ids @> ARRAY[$1::uuid] OR excluded_category_ids @> ARRAY[$1::uuid])
LIMIT 1;

-- name: find_missing_contacts
-- Returns those of contacts $1 that do not exist, in order.
SELECT asked.id
FROM unnest($1::uuid[]) AS asked (id)
WHERE NOT EXISTS (SELECT FROM contacts WHERE contacts.id = asked.id)
ORDER BY asked.id;

-- name: add_category_contacts
-- Puts contacts $2 in category $1, in key order; returns those that were not in it.
INSERT INTO category_contacts (category_id, contact_id)
SELECT $1, asked.id
FROM (SELECT DISTINCT unnest($2::uuid[]) AS id) AS asked
ORDER BY asked.id
ON CONFLICT ON CONSTRAINT category_contacts_pkey DO NOTHING
RETURNING contact_id;

-- name: remove_category_contacts
-- Takes contacts $2 out of category $1; returns those that were in it.
DELETE FROM category_contacts
WHERE category_id = $1
    AND contact_id = ANY ($2::uuid[])
RETURNING contact_id;

-- name: create_missing_categories
-- Creates categories for those of the display names $1 that none has, in any case, at $2.
INSERT INTO categories (display_name, create_time, update_time)
SELECT DISTINCT ON (lower(asked.display_name)) asked.display_name, $2, $2
FROM unnest($1::text[]) WITH ORDINALITY AS asked (display_name, position)
WHERE NOT EXISTS (SELECT FROM categories WHERE lower(categories.display_name) = lower(asked.display_name))
ORDER BY lower(asked.display_name), asked.position
ON CONFLICT (lower(display_name)) DO NOTHING
RETURNING id;

-- name: find_categories_by_display_name
-- Finds the categories of the display names $1, in any case: each name as asked with its id; no row for what none has.
SELECT asked.display_name, categories.id
FROM unnest($1::text[]) AS asked (display_name)
JOIN categories ON lower(categories.display_name) = lower(asked.display_name);

-- name: find_missing_categories
-- Returns those of categories $1 that do not exist, in order.
SELECT asked.id
FROM unnest($1::uuid[]) AS asked (id)
WHERE NOT EXISTS (SELECT FROM categories WHERE categories.id = asked.id)
ORDER BY asked.id;
