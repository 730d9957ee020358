-- name: start_campaign
-- Lets campaign $1 run from $2 on, at revision $3 unless that is null. No row: there is none, it is in no state to start,
-- or it changed.
UPDATE campaigns
SET state = 'RUNNING', schedule_time = NULL, start_time = $2, run_time = $2, revision = revision + 1, update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('DRAFT', 'SCHEDULED')
    AND ($3::bigint IS NULL OR revision = $3)
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: schedule_campaign
-- Plans campaign $1 to start at $4; $2 is now, $3 its revision or null. No row: as start_campaign.
UPDATE campaigns
SET state = 'SCHEDULED', schedule_time = $4, revision = revision + 1, update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('DRAFT', 'SCHEDULED')
    AND ($3::bigint IS NULL OR revision = $3)
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: pause_campaign
-- Pauses campaign $1 at $2, by source $3 for reason $4; one that an error or an announcement paused stays so from now on, also
-- when that is over. No row: there is none, it does not run, or a user paused it before.
UPDATE campaigns
SET state = 'PAUSED', pause_time = $2, pause_source = $3, pause_reason = $4, pause_code = 0, resume_time = NULL,
    revision = revision + 1, update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND (state IN ('RUNNING') OR state = 'PAUSED' AND pause_source NOT IN ('', 'USER'))
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: resume_campaign
-- Lets campaign $1 run on at $2. No row: there is none, or it is not paused.
UPDATE campaigns
SET state = 'RUNNING', pause_source = '', pause_reason = '', probe_time = NULL, run_time = $2, revision = revision + 1,
    update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('PAUSED')
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: cancel_campaign
-- Stops campaign $1 for good at $2; its messages are cancelled in pages afterwards. No row: there is none, or it is over.
UPDATE campaigns
SET state = 'CANCELLED', cancel_time = $2, pause_source = '', pause_reason = '', revision = revision + 1, update_time = $2
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED')
RETURNING id, kind, display_name, sender_id, template_id, bindings, all_contacts, category_ids, excluded_category_ids, state,
    schedule_time, messages_per_second, unconfirmed_policy, pause_source, pause_reason, failure_reason,
    expand_complete_time, audience_count, revision, start_time, pause_time, complete_time, cancel_time,
    create_time, update_time;

-- name: start_due_campaigns
-- Starts every campaign that is due at $1; one whose template WhatsApp no longer takes is FAILED instead.
WITH due AS (
    SELECT campaigns.id, templates.state = 'APPROVED' AS is_sendable
    FROM campaigns JOIN templates ON templates.id = campaigns.template_id
    WHERE campaigns.state IN ('SCHEDULED')
        AND campaigns.schedule_time <= $1
    ORDER BY campaigns.id
    FOR NO KEY UPDATE OF campaigns SKIP LOCKED
)
UPDATE campaigns
SET state = CASE WHEN due.is_sendable THEN 'RUNNING' ELSE 'FAILED' END,
    start_time = CASE WHEN due.is_sendable THEN $1::timestamptz END,
    run_time = CASE WHEN due.is_sendable THEN $1::timestamptz END,
    failure_reason = CASE WHEN due.is_sendable THEN '' ELSE 'TEMPLATE_NOT_APPROVED' END,
    revision = campaigns.revision + 1, update_time = $1
FROM due
WHERE campaigns.id = due.id
RETURNING campaigns.id, campaigns.state;

-- name: lock_finished_campaigns
-- Locks every running campaign with its audience planned, no retry under way, and no message left to send or in doubt, by
-- the counters, which are exact. What WhatsApp holds is waited for until a day before $1: it decides within hours.
SELECT id
FROM campaigns
WHERE state IN ('RUNNING')
    AND kind = 'BULK'
    AND expand_complete_time IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM retries WHERE retries.campaign_id = campaigns.id)
    AND 0 = (
        SELECT coalesce(sum(counters.count), 0)
        FROM counters
        WHERE counters.scope_id = campaigns.id
            AND counters.state IN ('PENDING', 'SENDING', 'UNCONFIRMED')
    )
    AND NOT EXISTS (
        SELECT FROM messages
        WHERE messages.campaign_id = campaigns.id AND messages.state = 'HELD' AND messages.accept_time > $1::timestamptz - interval '1 day'
    )
ORDER BY id
FOR NO KEY UPDATE SKIP LOCKED;

-- name: complete_finished_campaigns
-- Completes at $1 those of the locked campaigns $2 that are finished still: a retry may have come before the lock, which a
-- statement that began before does not see.
UPDATE campaigns
SET state = 'COMPLETED', complete_time = $1, revision = revision + 1, update_time = $1
WHERE id = ANY ($2)
    AND state IN ('RUNNING')
    AND NOT EXISTS (SELECT 1 FROM retries WHERE retries.campaign_id = campaigns.id)
    AND 0 = (
        SELECT coalesce(sum(counters.count), 0)
        FROM counters
        WHERE counters.scope_id = campaigns.id
            AND counters.state IN ('PENDING', 'SENDING', 'UNCONFIRMED')
    )
    AND NOT EXISTS (
        SELECT FROM messages
        WHERE messages.campaign_id = campaigns.id AND messages.state = 'HELD' AND messages.accept_time > $1::timestamptz - interval '1 day'
    )
RETURNING campaigns.id;

-- name: reopen_unfinished_campaigns
-- Lets run again at $1 what was complete since $2 and has messages to send all the same: WhatsApp failed them afterwards, in a
-- way that another try may help.
WITH unfinished AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE state IN ('COMPLETED')
        AND kind = 'BULK'
        AND complete_time >= $2
        AND EXISTS (SELECT 1 FROM messages WHERE messages.campaign_id = campaigns.id AND messages.state = 'PENDING')
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE campaigns
SET state = 'RUNNING', complete_time = NULL, revision = revision + 1, update_time = $1
FROM unfinished
WHERE campaigns.id = unfinished.id
RETURNING campaigns.id;

-- name: list_unexpanded_campaigns
-- Lists the campaigns whose audience is not wholly planned, oldest first.
SELECT id
FROM campaigns
WHERE state IN ('RUNNING', 'PAUSED')
    AND kind = 'BULK'
    AND expand_complete_time IS NULL
ORDER BY id;

-- name: list_unswept_campaigns
-- Lists the cancelled campaigns that still have PENDING messages, oldest first.
SELECT id
FROM campaigns
WHERE state IN ('CANCELLED')
    AND kind = 'BULK'
    AND EXISTS (SELECT 1 FROM messages WHERE messages.campaign_id = campaigns.id AND messages.state = 'PENDING')
ORDER BY id;

-- name: cancel_messages_page
-- Cancels up to $2 PENDING messages of the CANCELLED campaign $1; no row: it has none left, or is not cancelled.
-- The campaign reaches both scans as what a row says: of a constant, statistics from before the campaign would say that it has
-- next to no messages, and every page would walk all of them. The state is a range, ordered by, for which only the index of
-- campaign, state and id will do, and not one where what is cancelled already lies in the way.
WITH page AS MATERIALIZED (
    SELECT campaign_id, id
    FROM messages
    WHERE campaign_id = (SELECT campaigns.id FROM campaigns WHERE campaigns.id = $1 AND campaigns.state IN ('CANCELLED'))
        AND state BETWEEN 'PENDING' AND 'PENDING'
    ORDER BY campaign_id, state, id
    LIMIT $2
    FOR UPDATE OF messages
)
UPDATE messages
SET state = 'CANCELLED', reason = 'CAMPAIGN_CANCELLED'
FROM page
WHERE messages.campaign_id = page.campaign_id
    AND messages.id = page.id
RETURNING messages.id;

-- name: list_final_campaigns
-- Lists those of the campaigns $1 that are over.
SELECT id
FROM campaigns
WHERE id = ANY ($1)
    AND state IN ('COMPLETED', 'CANCELLED', 'FAILED');
