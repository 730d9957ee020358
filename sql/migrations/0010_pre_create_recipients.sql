-- migrate:up

-- Every contact as a recipient of every campaign: whether it would be skipped and why, and the values its message would
-- carry, in the order of the bindings. Read it for one campaign and a set of contacts; preview and expansion both do, so
-- that the one shows what the other makes. is_excluded says that an excluded category holds the contact.
CREATE VIEW campaign_recipients AS
SELECT
    campaigns.id AS campaign_id,
    contacts.id AS contact_id,
    campaigns.sender_id,
    campaigns.template_id,
    to_jsonb(bound.parameters) AS parameters,
    bound.parameters AS parameter_values,
    CASE
        WHEN templates.template_category = 'MARKETING' AND contacts.marketing_consent = 'OPTED_OUT' THEN 'OPTED_OUT'
        WHEN contacts.whatsapp_state = 'ABSENT' THEN 'NO_WHATSAPP'
        WHEN '' = ANY (bound.parameters) THEN 'MISSING_VARIABLE'
        ELSE ''
    END AS skip_reason,
    cardinality(campaigns.excluded_category_ids) > 0 AND EXISTS (
        SELECT 1
        FROM category_contacts
        WHERE category_contacts.contact_id = contacts.id
            AND category_contacts.category_id = ANY (campaigns.excluded_category_ids)
    ) AS is_excluded
FROM campaigns
JOIN templates ON templates.id = campaigns.template_id
CROSS JOIN contacts
CROSS JOIN LATERAL (
    SELECT ARRAY (
        SELECT coalesce(nullif(btrim(CASE binding ->> 'source'
            WHEN 'LITERAL' THEN binding ->> 'value'
            WHEN 'ATTRIBUTE' THEN contacts.attributes ->> (binding ->> 'value')
            WHEN 'FIELD' THEN CASE binding ->> 'value'
                WHEN 'display_name' THEN contacts.display_name
                WHEN 'phone_number' THEN contacts.phone_number
                WHEN 'language_code' THEN contacts.language_code
                WHEN 'time_zone' THEN contacts.time_zone
                WHEN 'whatsapp_user_id' THEN contacts.whatsapp_user_id
            END
        END), ''), binding ->> 'default_value', '')
        FROM jsonb_array_elements(campaigns.bindings) AS binding
    ) AS parameters
    OFFSET 0    -- keeps the values from being worked out again for every column that uses them
) AS bound;

-- migrate:down
DROP VIEW campaign_recipients;
