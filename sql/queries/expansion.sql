-- name: lock_expansion
-- Locks campaign $1 for one page of its expansion, so that two workers never plan the same page. For the rest of the
-- transaction the planner may enter tables by their keys only: on a table that was filled and not analysed it would read
-- and sort the whole of it for every page. And it may keep plans: workers have each statement planned for its values, which
-- for the check that a message's contact exists means anew for every row, half of what a page cost.
-- Its commit need not wait for the disk: a page that a crash takes back takes its checkpoint along, and whoever has claimed from
-- it has waited for both.
-- No row: it may not be expanded, or its audience is complete.
SELECT id, set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('plan_cache_mode', 'auto', true), set_config('synchronous_commit', 'off', true),
    set_config('idle_in_transaction_session_timeout', '1s', true)
FROM campaigns
WHERE id = $1
    AND kind = 'BULK'
    AND state IN ('RUNNING', 'PAUSED')
    AND expand_complete_time IS NULL
FOR NO KEY UPDATE;

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

-- name: expand_page
-- Plans messages for the next $2 contacts of campaign $1's audience and moves its checkpoint behind them; $3 whether some may
-- have theirs already, as is_planned_ahead tells, and each is looked for. That look would cost a tenth of the page, as would
-- ON CONFLICT; where it is not made, messages_recipient_key still lets nobody have a second message: the page fails.
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
UPDATE campaigns
SET expand_after_contact_id = coalesce((SELECT id FROM candidates ORDER BY id DESC LIMIT 1), expand_after_contact_id),
    expand_complete_time = CASE WHEN (SELECT count(*) FROM candidates) < $2 THEN now() END,
    audience_count = audience_count + (SELECT count(*) FROM inserted), update_time = now()
WHERE id = $1
RETURNING (SELECT count(*) FROM inserted) AS inserted, audience_count, expand_complete_time IS NOT NULL AS is_complete;
