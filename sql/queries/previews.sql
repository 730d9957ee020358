-- name: has_audience
-- Tells whether the audience of campaign $1 holds anybody, exclusions aside. No row: there is no campaign.
SELECT CASE WHEN campaigns.all_contacts THEN EXISTS (SELECT 1 FROM contacts) ELSE EXISTS (
    SELECT 1 FROM category_contacts WHERE category_contacts.category_id = ANY (campaigns.category_ids)
) END AS has_audience
FROM campaigns
WHERE id = $1;

-- name: count_audience
-- Counts the audience of campaign $1 by the reason for which a contact would be skipped, empty for those that would be sent.
WITH audience AS (
    SELECT contacts.id
    FROM campaigns CROSS JOIN contacts
    WHERE campaigns.id = $1 AND campaigns.all_contacts
    UNION ALL
    SELECT DISTINCT category_contacts.contact_id
    FROM campaigns JOIN category_contacts ON category_contacts.category_id = ANY (campaigns.category_ids)
    WHERE campaigns.id = $1 AND NOT campaigns.all_contacts
)
SELECT campaign_recipients.skip_reason, count(*) AS contact_count
FROM audience JOIN campaign_recipients ON campaign_recipients.contact_id = audience.id
WHERE campaign_recipients.campaign_id = $1
    AND NOT campaign_recipients.is_excluded
GROUP BY campaign_recipients.skip_reason
ORDER BY count(*) DESC, campaign_recipients.skip_reason;

-- name: count_missing_values
-- Counts, by the position of a binding from 0, the contacts in the audience of campaign $1 without a value for it.
WITH audience AS (
    SELECT contacts.id
    FROM campaigns CROSS JOIN contacts
    WHERE campaigns.id = $1 AND campaigns.all_contacts
    UNION ALL
    SELECT DISTINCT category_contacts.contact_id
    FROM campaigns JOIN category_contacts ON category_contacts.category_id = ANY (campaigns.category_ids)
    WHERE campaigns.id = $1 AND NOT campaigns.all_contacts
)
SELECT bound.position - 1 AS position, count(*) AS contact_count
FROM audience
JOIN campaign_recipients ON campaign_recipients.contact_id = audience.id
CROSS JOIN LATERAL unnest(campaign_recipients.parameter_values) WITH ORDINALITY AS bound (value, position)
WHERE campaign_recipients.campaign_id = $1
    AND NOT campaign_recipients.is_excluded
    AND bound.value = ''
GROUP BY bound.position
ORDER BY bound.position;

-- name: list_samples
-- Lists up to $2 recipients of campaign $1 that would be sent, with their values, from the first $3 contacts of its audience.
WITH candidates AS MATERIALIZED (
    SELECT everyone.id
    FROM campaigns CROSS JOIN LATERAL (
        SELECT contacts.id FROM contacts
        WHERE NOT EXISTS (
            SELECT 1 FROM category_contacts
            WHERE contact_id = contacts.id AND category_id = ANY (campaigns.excluded_category_ids)
        )
        ORDER BY contacts.id LIMIT $3
    ) AS everyone
    WHERE campaigns.id = $1 AND campaigns.all_contacts
    UNION ALL
    SELECT listed.id
    FROM campaigns CROSS JOIN LATERAL (
        SELECT DISTINCT member.contact_id AS id
        FROM unnest(campaigns.category_ids) AS category (id) CROSS JOIN LATERAL (
            SELECT contact_id FROM category_contacts
            WHERE category_id = category.id
                AND NOT EXISTS (
                    SELECT 1 FROM category_contacts AS excluded
                    WHERE excluded.contact_id = category_contacts.contact_id
                        AND excluded.category_id = ANY (campaigns.excluded_category_ids)
                )
            ORDER BY contact_id LIMIT $3
        ) AS member
        ORDER BY id LIMIT $3
    ) AS listed
    WHERE campaigns.id = $1 AND NOT campaigns.all_contacts
)
SELECT contact_id, parameters
FROM campaign_recipients
WHERE campaign_id = $1 AND contact_id = ANY (ARRAY(SELECT id FROM candidates)) AND skip_reason = ''
ORDER BY contact_id
LIMIT $2;
