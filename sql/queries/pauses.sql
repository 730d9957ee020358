-- Errors are told late, too: what was started or resumed after one runs on. WhatsApp tells whole seconds, and in the same second the
-- error counts as the later one: one pause too many is seen, and harms nobody. No time: it came just now, and pauses whatever runs.
-- The same of what ran all along while WhatsApp announced an end, see date_runs.

-- name: pause_template_campaigns
-- Pauses the campaigns that send the same template as this one. $1 campaign, $2 reason, $3 error code, $4 when it failed. No row:
-- none was running, or not since before that.
WITH affected AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE template_id = (SELECT template_id FROM campaigns WHERE id = $1)
        AND state = 'RUNNING'
        AND coalesce(date_trunc('second', run_time) <= $4, true)
        AND kind = 'BULK'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'TEMPLATE', pause_reason = $2, pause_code = $3, resume_time = NULL,
    pause_time = now(), update_time = now(), revision = revision + 1
FROM affected
WHERE campaigns.id = affected.id
RETURNING campaigns.id;

-- name: pause_credential_campaigns
-- Pauses the campaigns of senders with this sender's credential. $1 sender, $2 reason, $3 error code, $4 when it failed. No row:
-- none was running, or not since before that.
WITH affected AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE sender_id IN (
            SELECT id FROM senders
            WHERE credential_reference = (SELECT credential_reference FROM senders WHERE id = $1)
        )
        AND state = 'RUNNING'
        AND coalesce(date_trunc('second', run_time) <= $4, true)
        AND kind = 'BULK'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'CREDENTIAL', pause_reason = $2, pause_code = $3, resume_time = NULL,
    pause_time = now(), update_time = now(), revision = revision + 1
FROM affected
WHERE campaigns.id = affected.id
RETURNING campaigns.id;

-- name: pause_account_campaigns
-- Pauses the campaigns of this sender's WhatsApp account. $1 sender, $2 reason, $3 error code, $4 seconds until a probe or 0:
-- twice as long after each probe of the account that was refused within an hour, a day at most; while some of its campaigns wait
-- for a probe, those that come to it wait with them, and what is refused when that time has come, before they run on, is a
-- refused probe. $5 whether the end of a restriction ends it: then they wait for that, if it was announced. $6 when it failed. No row: none
-- was running, or not since before that.
WITH probed AS MATERIALIZED (
    SELECT
        max(CASE WHEN waits AND resume_time <= now() OR probe_time > now() - interval '1 hour' THEN least(coalesce(probe_count, 0) + 1, 20) ELSE 0 END) AS refused_count,
        max(resume_time) FILTER (WHERE waits AND resume_time > now()) AS known_time,
        max(probe_count) FILTER (WHERE waits AND resume_time > now()) AS known_count
    FROM campaigns
    CROSS JOIN LATERAL (
        SELECT state = 'PAUSED' AND pause_source = 'ACCOUNT' AND pause_code = $3 AND probe_count IS NOT NULL AS waits
    ) AS waiting
    WHERE sender_id IN (
            SELECT id FROM senders
            WHERE whatsapp_account_id = (SELECT whatsapp_account_id FROM senders WHERE id = $1)
        )
        AND kind = 'BULK'
), announced AS MATERIALIZED (
    SELECT max(announcements.end_time) AS end_time
    FROM senders JOIN announcements ON announcements.whatsapp_account_id = senders.whatsapp_account_id
    WHERE senders.id = $1 AND $5::boolean
        AND announcements.digits = '' AND announcements.is_blocked AND announcements.end_time > now()
), affected AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE sender_id IN (
            SELECT id FROM senders
            WHERE whatsapp_account_id = (SELECT whatsapp_account_id FROM senders WHERE id = $1)
        )
        AND state = 'RUNNING'
        AND coalesce(date_trunc('second', run_time) <= $6, true)
        AND kind = 'BULK'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'ACCOUNT', pause_reason = $2, pause_code = $3,
    resume_time = CASE
        WHEN $4::double precision > 0
        THEN coalesce(probed.known_time, now() + make_interval(secs => least($4::double precision * 2 ^ probed.refused_count, 86400)))
        ELSE announced.end_time
    END,
    probe_count = CASE WHEN $4::double precision > 0 THEN coalesce(probed.known_count, probed.refused_count) END,
    pause_time = now(), update_time = now(), revision = revision + 1
FROM affected CROSS JOIN probed CROSS JOIN announced
WHERE campaigns.id = affected.id
RETURNING campaigns.id;

-- name: pause_sender_campaigns
-- Pauses the campaigns of one sender. $1 sender, $2 reason, $3 error code, $4 seconds until a probe or 0: twice as long after
-- each probe of the number that was refused within an hour, a day at most; while some of its campaigns wait for a probe, those
-- that come to it wait with them, and what is refused when that time has come, before they run on, is a refused probe. $5 when it
-- failed. No row: none was running, or not since before that.
WITH probed AS MATERIALIZED (
    SELECT
        max(CASE WHEN waits AND resume_time <= now() OR probe_time > now() - interval '1 hour' THEN least(coalesce(probe_count, 0) + 1, 20) ELSE 0 END) AS refused_count,
        max(resume_time) FILTER (WHERE waits AND resume_time > now()) AS known_time,
        max(probe_count) FILTER (WHERE waits AND resume_time > now()) AS known_count
    FROM campaigns
    CROSS JOIN LATERAL (
        SELECT state = 'PAUSED' AND pause_source = 'SENDER' AND pause_code = $3 AND probe_count IS NOT NULL AS waits
    ) AS waiting
    WHERE sender_id = $1
        AND kind = 'BULK'
), affected AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE sender_id = $1
        AND state = 'RUNNING'
        AND coalesce(date_trunc('second', run_time) <= $5, true)
        AND kind = 'BULK'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'SENDER', pause_reason = $2, pause_code = $3,
    resume_time = CASE
        WHEN $4::double precision > 0
        THEN coalesce(probed.known_time, now() + make_interval(secs => least($4::double precision * 2 ^ probed.refused_count, 86400)))
    END,
    probe_count = CASE WHEN $4::double precision > 0 THEN coalesce(probed.known_count, probed.refused_count) END,
    pause_time = now(), update_time = now(), revision = revision + 1
FROM affected CROSS JOIN probed
WHERE campaigns.id = affected.id
RETURNING campaigns.id;

-- name: pause_broken_campaign
-- Pauses a campaign whose breaker has tripped. $1 campaign, $2 reason, $3 error code, $4 when it failed. No row: it was not
-- running, or not since before that.
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'BREAKER', pause_reason = $2, pause_code = $3, resume_time = NULL,
    pause_time = now(), update_time = now(), revision = revision + 1
WHERE id = $1
    AND state = 'RUNNING'
    AND kind = 'BULK'
    AND coalesce(date_trunc('second', run_time) <= $4, true)
RETURNING id;

-- name: list_run_times
-- Lists since when, in whole seconds, those of the campaigns $1 run that were started or resumed since that is kept.
SELECT id, date_trunc('second', run_time) AS run_time
FROM campaigns
WHERE id = ANY ($1)
    AND run_time IS NOT NULL;

-- name: pause_unusable_campaigns
-- Pauses the campaigns whose templates, among WhatsApp's ids $1, are in a state of $2, for reason $3 with code $4; those that
-- stand still because of the same template learn what has become of it.
WITH affected AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE template_id IN (SELECT id FROM templates WHERE whatsapp_template_id = ANY ($1::text[]) AND state = ANY ($2::text[]))
        AND (state = 'RUNNING' OR state = 'PAUSED' AND pause_source = 'TEMPLATE' AND pause_code = ANY ($5::integer[]))
        AND kind = 'BULK'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'TEMPLATE', pause_reason = $3, pause_code = $4, resume_time = NULL,
    pause_time = coalesce(CASE state WHEN 'PAUSED' THEN pause_time END, now()), update_time = now(), revision = revision + 1
FROM affected
WHERE campaigns.id = affected.id
RETURNING campaigns.id;

-- name: pause_restricted_campaigns
-- Pauses the campaigns of WhatsApp account $1 for reason $2 with code $3, until $4 (null: until it says more); those that an
-- error of the account paused before, with a code of $5, learn until when.
WITH affected AS MATERIALIZED (
    SELECT id
    FROM campaigns
    WHERE sender_id IN (SELECT id FROM senders WHERE whatsapp_account_id = $1)
        AND (state = 'RUNNING' OR state = 'PAUSED' AND pause_source = 'ACCOUNT' AND pause_code = ANY ($5::integer[]))
        AND kind = 'BULK'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE campaigns
SET state = 'PAUSED', pause_source = 'ACCOUNT', pause_reason = $2, pause_code = $3, resume_time = $4, probe_count = NULL,
    pause_time = coalesce(CASE state WHEN 'PAUSED' THEN pause_time END, now()), update_time = now(), revision = revision + 1
FROM affected
WHERE campaigns.id = affected.id
RETURNING campaigns.id;

-- name: lock_announced_campaigns
-- Locks, in the order in which all take them, the campaigns that announcements can pause or let run on: of templates $1 and of
-- accounts $2, both by WhatsApp's ids.
SELECT id
FROM campaigns
WHERE (
        template_id IN (SELECT id FROM templates WHERE whatsapp_template_id = ANY ($1::text[]))
        OR sender_id IN (SELECT id FROM senders WHERE whatsapp_account_id = ANY ($2::text[]))
    )
    AND state IN ('RUNNING', 'PAUSED')
    AND kind = 'BULK'
ORDER BY id
FOR NO KEY UPDATE;
