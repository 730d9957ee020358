-- name: lock_expansion
-- Locks the expansion of campaign $1 for one page, so that two workers never plan the same page. Not the campaign: as long as
-- the page takes, and however long a frozen worker holds it, the campaign can be paused and cancelled.
-- For the rest of the transaction the planner may enter tables by their keys only: on a table that was filled and not analysed
-- it would read and sort the whole of it for every page. And it may keep plans: workers have each statement planned for its
-- values, which for the check that a message's contact exists means anew for every row, half of what a page cost.
-- Its commit need not wait for the disk: a page that a crash takes back takes its checkpoint along, and whoever has claimed from
-- it has waited for both.
SELECT pg_advisory_xact_lock(hashtext('expansion'), hashtext($1::uuid::text)),
    set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('plan_cache_mode', 'auto', true), set_config('synchronous_commit', 'off', true);

-- name: get_checkpoint
-- Reads behind which contact campaign $1 goes on, null where it begins. Needs the lock of lock_expansion, and a statement of its
-- own: what the one that waited for the lock sees is as old as the wait.
-- No row: it may not be expanded, or its audience is complete.
SELECT expand_after_contact_id
FROM campaigns
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('RUNNING', 'PAUSED')
    AND expand_complete_time IS NULL;

-- name: is_planned_ahead
-- Tells whether campaign $1 has messages behind its checkpoint. Page and checkpoint are one commit, so it has none, unless it
-- lost the checkpoint. Needs the lock of lock_expansion: nobody else plans in between.
-- OFFSET 0 keeps $1 from the messages: with it, statistics older than the campaign say that it has none, and all it has are
-- read through an index that does not know of contacts.
SELECT EXISTS (
    SELECT FROM (SELECT id, expand_after_contact_id FROM campaigns WHERE id = $1 OFFSET 0) AS campaign
    JOIN messages
        ON messages.campaign_id = campaign.id
        AND messages.contact_id > coalesce(campaign.expand_after_contact_id, '00000000-0000-0000-0000-000000000000')
) AS is_planned_ahead;

-- name: plan_page
-- Plans messages for the next $2 contacts of campaign $1's audience; $3 whether some may have theirs already, as is_planned_ahead
-- tells, and each is looked for. That look would cost a tenth of the page, as would ON CONFLICT; where it is not made,
-- messages_recipient_key still lets nobody have a second message: the page fails.
-- The ids of a page are one uuidv7() that counts on: each of its own would take random bytes from the system, 3 µs a row where
-- PostgreSQL was built without OpenSSL.
-- Needs the lock of lock_expansion. Contacts come in id order; fewer than $2 of them mean that the audience is complete.
WITH candidates AS MATERIALIZED (
    SELECT everyone.id
    FROM campaigns CROSS JOIN LATERAL (
        SELECT contacts.id FROM contacts
        WHERE contacts.id > coalesce(campaigns.expand_after_contact_id, '00000000-0000-0000-0000-000000000000')
        ORDER BY contacts.id LIMIT $2
    ) AS everyone
    WHERE campaigns.id = $1 AND campaigns.all_contacts
    UNION ALL
    SELECT listed.id
    FROM campaigns CROSS JOIN LATERAL (
        SELECT DISTINCT member.contact_id AS id
        FROM unnest(campaigns.category_ids) AS category (id) CROSS JOIN LATERAL (
            SELECT contact_id FROM category_contacts
            WHERE category_id = category.id
                AND contact_id > coalesce(campaigns.expand_after_contact_id, '00000000-0000-0000-0000-000000000000')
            ORDER BY contact_id LIMIT $2
        ) AS member
        ORDER BY id LIMIT $2
    ) AS listed
    WHERE campaigns.id = $1 AND NOT campaigns.all_contacts
), inserted AS (
    INSERT INTO messages (campaign_id, id, contact_id, sender_id, template_id, occurrence, state, reason, parameters)
    SELECT campaign_id,
        (left((SELECT uuidv7()::text), 30) || lpad(to_hex(row_number() OVER (ORDER BY contact_id)), 6, '0'))::uuid,
        contact_id, sender_id, template_id, 1, CASE skip_reason WHEN '' THEN 'PENDING' ELSE 'SKIPPED' END,
        skip_reason, CASE skip_reason WHEN '' THEN parameters END
    FROM campaign_recipients
    WHERE campaign_id = $1 AND contact_id = ANY (ARRAY(SELECT id FROM candidates)) AND NOT is_excluded
        AND (NOT $3 OR (
            -- A single row, not EXISTS, which would be answered by reading all messages of the campaign.
            SELECT messages.occurrence FROM messages
            WHERE messages.campaign_id = $1 AND messages.contact_id = campaign_recipients.contact_id AND messages.occurrence = 1
        ) IS NULL)
    ORDER BY contact_id
    RETURNING id
)
SELECT (SELECT count(*) FROM inserted) AS inserted,
    (SELECT id FROM candidates ORDER BY id DESC LIMIT 1) AS last_contact_id,
    (SELECT count(*) FROM candidates) < $2 AS is_complete;

-- name: move_checkpoint
-- Moves the checkpoint of campaign $1 from contact $2, where the page began, behind contact $3 (null: it held none); $4 whether the
-- audience is complete, $5 how many messages the page made.
-- Last of all, so that the campaign is held for the commit alone; from a worker that is frozen before it, it is taken.
-- No row: it was cancelled meanwhile, or somebody else has moved the checkpoint, and the page must be rolled back.
UPDATE campaigns
SET expand_after_contact_id = coalesce($3, expand_after_contact_id),
    expand_complete_time = CASE WHEN $4 THEN statement_timestamp() END,
    audience_count = audience_count + $5, update_time = statement_timestamp()
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('RUNNING', 'PAUSED')
    AND expand_complete_time IS NULL
    AND expand_after_contact_id IS NOT DISTINCT FROM $2
RETURNING audience_count;
