-- name: get_campaign
-- Reads campaign $1, also a DIRECT one. No row: there is none.
SELECT id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time
FROM campaigns
WHERE id = $1;

-- name: lock_campaign
-- Reads BULK campaign $1 and keeps others from changing it until the transaction ends. No row: there is none.
SELECT id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time
FROM campaigns
WHERE id = $1
    AND kind = 'BULK'
FOR NO KEY UPDATE;

-- name: list_campaigns
-- Lists up to $2 BULK campaigns before id $1, newest first.
SELECT id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time
FROM campaigns
WHERE kind = 'BULK'
    AND id < $1
ORDER BY id DESC
LIMIT $2;

-- name: list_campaigns_by_state
-- Lists up to $2 BULK campaigns in state $3 before id $1, newest first.
SELECT id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time
FROM campaigns
WHERE kind = 'BULK'
    AND state = $3
    AND id < $1
ORDER BY id DESC
LIMIT $2;

-- name: create_campaign
-- Creates a draft: name $1, sender $2, template $3, bindings $4, audience $5 to $7, rate $8, policy $9. It is created at the
-- moment in its id: lists are ordered, and ranges of time found, by ids.
WITH made AS MATERIALIZED (
    SELECT uuidv7() AS id
)
INSERT INTO campaigns (
    id, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids,
    messages_per_second, unconfirmed_policy, create_time, update_time
)
SELECT id, $1, $2, $3, $4, $5, $6::uuid[], $7::uuid[], $8, $9, uuid_extract_timestamp(id), uuid_extract_timestamp(id)
FROM made
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: update_campaign
-- Writes all that may change of draft $1: name $2, sender $3, template $4, bindings $5, audience $6 to $8, rate $9,
-- policy $10, at $11. No row: there is none, or it is no draft.
UPDATE campaigns
SET display_name = $2, sender_id = $3, template_id = $4, bindings = $5, all_contacts = $6, category_ids = $7::uuid[],
    excluded_category_ids = $8::uuid[], messages_per_second = $9, unconfirmed_policy = $10,
    revision = revision + 1, update_time = $11
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('DRAFT')
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: update_live_campaign
-- Writes what may change of campaign $1 in any state: name $2, rate $3, at $4. No row: there is none.
UPDATE campaigns
SET display_name = $2, messages_per_second = $3, revision = revision + 1, update_time = $4
WHERE id = $1
    AND kind = 'BULK'
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: delete_campaign
-- Deletes draft $1, at revision $2 unless that is null. No row: there is none, it is no draft, or it changed.
DELETE FROM campaigns
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('DRAFT')
    AND ($2::bigint IS NULL OR revision = $2)
RETURNING id;

-- name: find_unknown_categories
-- Lists those of the ids $1 that no category has.
SELECT asked.id
FROM unnest($1::uuid[]) AS asked (id)
WHERE NOT EXISTS (SELECT 1 FROM categories WHERE categories.id = asked.id)
ORDER BY asked.id;
