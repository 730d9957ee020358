-- name: get_template
-- Reads template $1. No row: there is none.
SELECT id, whatsapp_account_id, whatsapp_template_id, template_name, language_code, template_category, state,
    parameter_format, components, quality, rejected_reason, sync_time, create_time, update_time
FROM templates
WHERE id = $1;

-- name: list_templates
-- Lists up to $2 templates after id $1, oldest first; $3 state, $4 name, $5 language, $6 account, $7 category, each empty
-- for any. There are some hundreds at most, so that filters need no index of their own.
SELECT id, whatsapp_account_id, whatsapp_template_id, template_name, language_code, template_category, state,
    parameter_format, components, quality, rejected_reason, sync_time, create_time, update_time
FROM templates
WHERE id > $1
    AND $3 IN ('', state)
    AND $4 IN ('', template_name)
    AND $5 IN ('', language_code)
    AND $6 IN ('', whatsapp_account_id)
    AND $7 IN ('', template_category)
ORDER BY id
LIMIT $2;

-- name: lock_templates
-- Locks account $1's templates in their order until the transaction ends, as whoever announces something of several does. No
-- row: it has none yet.
SELECT id
FROM templates
WHERE whatsapp_account_id = $1
ORDER BY id
FOR NO KEY UPDATE;

-- name: list_outdated_accounts
-- Lists accounts that hold templates of which other texts were announced, each with the oldest sender that is in use. No row: none
-- does.
SELECT DISTINCT ON (templates.whatsapp_account_id) senders.id
FROM templates
JOIN senders ON senders.whatsapp_account_id = templates.whatsapp_account_id AND senders.state = 'ACTIVE'
WHERE templates.outdated_time IS NOT NULL
    AND templates.state <> 'DELETED'
ORDER BY templates.whatsapp_account_id, senders.id;

-- name: sync_templates
-- Makes account $1 hold exactly the templates listed in $2 at $3: new ones are added, known ones brought up to date, all
-- others become DELETED; one that changed since stays, as it was announced after the list. Returns how many of each. Needs the
-- lock of lock_templates: it takes them in the order of the list.
WITH listed AS MATERIALIZED (
    SELECT DISTINCT ON (template_name, language_code) whatsapp_template_id, template_name, language_code,
        template_category, state, parameter_format, components, quality, rejected_reason
    FROM jsonb_to_recordset($2::jsonb) AS listed (
        whatsapp_template_id text, template_name text, language_code text, template_category text, state text,
        parameter_format text, components jsonb, quality text, rejected_reason text
    )
    ORDER BY template_name, language_code
), synced AS (
    INSERT INTO templates (whatsapp_account_id, whatsapp_template_id, template_name, language_code, template_category, state,
        parameter_format, components, quality, rejected_reason, sync_time, create_time, update_time)
    SELECT $1, whatsapp_template_id, template_name, language_code, template_category, state,
        parameter_format, components, quality, rejected_reason, $3, $3, $3
    FROM listed
    ON CONFLICT ON CONSTRAINT templates_identity_key DO UPDATE
    SET whatsapp_template_id = excluded.whatsapp_template_id, template_category = excluded.template_category,
        state = excluded.state, parameter_format = excluded.parameter_format, components = excluded.components,
        quality = excluded.quality, rejected_reason = excluded.rejected_reason, sync_time = excluded.sync_time,
        outdated_time = CASE WHEN templates.outdated_time > excluded.sync_time THEN templates.outdated_time END,
        update_time = CASE WHEN (templates.whatsapp_template_id, templates.template_category, templates.state,
            templates.parameter_format, templates.components, templates.quality, templates.rejected_reason)
            IS DISTINCT FROM (excluded.whatsapp_template_id, excluded.template_category, excluded.state,
            excluded.parameter_format, excluded.components, excluded.quality, excluded.rejected_reason)
            THEN excluded.update_time ELSE templates.update_time END
    WHERE templates.update_time <= $3
    RETURNING old.id IS NULL AS is_created, new.update_time IS DISTINCT FROM old.update_time AS is_changed
), gone AS (
    UPDATE templates
    SET state = 'DELETED', sync_time = $3, update_time = $3
    WHERE whatsapp_account_id = $1 AND state <> 'DELETED' AND update_time <= $3
        AND NOT EXISTS (SELECT 1 FROM listed WHERE (listed.template_name, listed.language_code) = (templates.template_name, templates.language_code))
    RETURNING id
)
SELECT count(*) FILTER (WHERE is_created) AS created_count, count(*) FILTER (WHERE NOT is_created AND is_changed) AS updated_count,
    (SELECT count(*) FROM listed) - count(*) FILTER (WHERE is_changed) AS unchanged_count, (SELECT count(*) FROM gone) AS deleted_count
FROM synced;

-- name: list_doubted_templates
-- Lists the templates that WhatsApp refused with a code of $1, though they were approved when last synced before that: account by
-- account, with one of its senders, and when a campaign was last paused for it. No row: all have been synced since.
SELECT
    (array_agg(campaigns.sender_id ORDER BY campaigns.sender_id))[1] AS sender_id,
    array_agg(DISTINCT templates.whatsapp_template_id) AS whatsapp_template_ids,
    max(campaigns.pause_time) AS pause_time
FROM campaigns
JOIN senders ON senders.id = campaigns.sender_id
JOIN templates ON templates.id = campaigns.template_id AND templates.whatsapp_account_id = senders.whatsapp_account_id
WHERE campaigns.state = 'PAUSED' AND campaigns.pause_source = 'TEMPLATE' AND campaigns.pause_code = ANY ($1::integer[])
    AND templates.state = 'APPROVED' AND templates.sync_time < campaigns.pause_time
GROUP BY templates.whatsapp_account_id
ORDER BY templates.whatsapp_account_id;
