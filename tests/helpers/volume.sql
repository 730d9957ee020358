-- name: senders
-- Adds three senders.
INSERT INTO senders (phone_number_id, whatsapp_account_id)
SELECT (100 + n)::text, '200' FROM generate_series(1, 3) AS n;

-- name: templates
-- Adds twenty templates.
INSERT INTO templates
    (whatsapp_account_id, whatsapp_template_id, template_name, language_code, template_category, state)
SELECT '200', n::text, 'template_' || n, 'en', 'MARKETING', 'APPROVED' FROM generate_series(1, 20) AS n;

-- name: contacts
-- Adds $1 contacts, imported country by country.
INSERT INTO contacts (phone_number, display_name, language_code, attributes, whatsapp_state, marketing_consent)
SELECT
    CASE WHEN n <= $1 / 2 THEN '+49' WHEN n <= $1 * 8 / 10 THEN '+33' ELSE '+1' END || (1000000000 + n),
    (ARRAY['Ann', 'Ben', 'Chloe', 'Dan', 'Eva', 'Finn', 'Gil', 'Hana', 'Ida', 'Jo'])[1 + n % 10] || ' ' || n,
    CASE WHEN n <= $1 / 2 THEN 'de' ELSE 'fr' END,
    jsonb_build_object('city', 'City ' || n % 100),
    CASE WHEN n % 1000 = 0 THEN 'ABSENT' WHEN n % 5 < 3 THEN 'VERIFIED' ELSE 'UNKNOWN' END,
    CASE WHEN n % 100 = 7 THEN 'OPTED_OUT' WHEN n % 5 < 2 THEN 'UNKNOWN' ELSE 'OPTED_IN' END
FROM generate_series(1, $1::integer) AS n;

-- name: categories
-- Adds twenty categories.
INSERT INTO categories (display_name) SELECT 'Category ' || n FROM generate_series(1, 20) AS n;

-- name: members
-- The first category holds every second contact, the next every fourth, down to a handful.
INSERT INTO category_contacts (category_id, contact_id)
SELECT categories.id, contacts.id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM categories) AS categories
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS number FROM contacts) AS contacts
    ON contacts.number % (2 ^ categories.number)::bigint = 0
ORDER BY categories.id, contacts.id;

-- name: count_members
-- Counts the members of categories, as a trigger would.
UPDATE categories SET contact_count = (SELECT count(*) FROM category_contacts WHERE category_id = categories.id);

-- name: campaigns
-- Five campaigns of a tenth of $1 messages, forty of a hundredth, a hundred of a thousandth; the last two still run.
INSERT INTO campaigns (display_name, sender_id, template_id, state, all_contacts, audience_count, complete_time,
    start_time, expand_complete_time, create_time, update_time)
SELECT 'Campaign ' || n, (SELECT id FROM senders ORDER BY id OFFSET n % 3 LIMIT 1),
    (SELECT id FROM templates ORDER BY id OFFSET n % 20 LIMIT 1),
    CASE WHEN n > 143 THEN 'RUNNING' ELSE 'COMPLETED' END, true,
    CASE WHEN n % 29 = 0 THEN $1 / 10 WHEN n % 29 BETWEEN 1 AND 8 THEN $1 / 100 ELSE $1 / 1000 END,
    CASE WHEN n <= 143 THEN now() - (146 - n) * interval '1 day' END,
    now() - (147 - n) * interval '1 day', now() - (147 - n) * interval '1 day',
    now() - (147 - n) * interval '1 day', now() - (147 - n) * interval '1 day'
FROM generate_series(1, 145) AS n;

-- name: messages
-- Plans the messages of all campaigns, most of them settled.
INSERT INTO messages (campaign_id, contact_id, sender_id, template_id, occurrence, state, error_code, error_title,
    reason, attempt, whatsapp_message_id, create_time, accept_time, send_time, deliver_time, read_time, fail_time)
SELECT campaigns.id, contacts.id, campaigns.sender_id, campaigns.template_id, 1, fate.state,
    CASE WHEN fate.state = 'FAILED' THEN 131026 ELSE 0 END,
    CASE WHEN fate.state = 'FAILED' THEN 'Undeliverable' ELSE '' END,
    CASE WHEN fate.state = 'SKIPPED' THEN 'OPTED_OUT' ELSE '' END,
    CASE WHEN fate.state IN ('SKIPPED', 'PENDING') THEN 0 ELSE 1 END,
    CASE WHEN fate.state IN ('SKIPPED', 'PENDING', 'FAILED') THEN NULL
        ELSE 'wamid.' || campaigns.number || '.' || contacts.number END,
    campaigns.start_time, moment.at, moment.at + interval '1 second',
    CASE WHEN fate.state IN ('DELIVERED', 'READ') THEN moment.at + interval '3 seconds' END,
    CASE WHEN fate.state = 'READ' THEN moment.at + interval '3 minutes' END,
    CASE WHEN fate.state = 'FAILED' THEN moment.at + interval '2 seconds' END
FROM (SELECT *, row_number() OVER (ORDER BY id) AS number FROM campaigns) AS campaigns
CROSS JOIN LATERAL (
    SELECT id, row_number() OVER (ORDER BY id) AS number FROM contacts ORDER BY id LIMIT campaigns.audience_count
) AS contacts
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN campaigns.state = 'RUNNING' AND contacts.number > campaigns.audience_count / 2 THEN 'PENDING'
        WHEN contacts.number % 50 = 0 THEN 'SKIPPED' WHEN contacts.number % 33 = 0 THEN 'FAILED'
        WHEN contacts.number % 10 < 6 THEN 'READ' WHEN contacts.number % 10 < 9 THEN 'DELIVERED' ELSE 'SENT'
    END AS state
) AS fate
CROSS JOIN LATERAL (
    SELECT CASE WHEN fate.state NOT IN ('SKIPPED', 'PENDING')
        THEN campaigns.start_time + contacts.number * interval '10 milliseconds' END AS at
) AS moment;

-- name: interactions
-- Answers every twentieth read message.
INSERT INTO interactions
    (whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, interaction_time)
SELECT 'in.' || whatsapp_message_id, sender_id, contact_id, campaign_id, id,
    CASE WHEN hashtext(id::text) % 500 = 0 THEN 'ORDER' WHEN hashtext(id::text) % 3 = 0 THEN 'BUTTON' ELSE 'TEXT' END,
    'yes', read_time + interval '1 minute'
FROM messages WHERE state = 'READ' AND hashtext(id::text) % 20 = 0
ORDER BY read_time;

-- name: attempts
-- Adds attempts that were superseded.
INSERT INTO message_attempts (campaign_id, message_id, attempt, whatsapp_message_id)
SELECT campaign_id, id, 0, 'old.' || whatsapp_message_id
FROM messages WHERE state = 'SENT' AND hashtext(id::text) % 2 = 0;

-- name: counters
-- Counts all messages by state, as a trigger would.
INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
SELECT unnest(counter_scopes(campaign_id)), state, error_code, reason, shard, sum(count)
FROM (
    SELECT campaign_id, state, error_code, reason, abs(hashtext(id::text)) % 16 AS shard, count(*) AS count
    FROM messages
    GROUP BY 1, 2, 3, 4, 5
) AS counted
GROUP BY 1, 2, 3, 4, 5;

-- name: replied
-- Notes which messages were answered, as a trigger would.
INSERT INTO replied_messages (campaign_id, message_id)
SELECT DISTINCT campaign_id, message_id FROM interactions;

-- name: replies
-- Counts the messages that were answered, as a trigger would.
INSERT INTO reply_counters (scope_id, shard, count)
SELECT unnest(counter_scopes(campaign_id)), 0, count(*) FROM replied_messages GROUP BY 1;

-- name: minutes
-- Counts all messages by minute, as a trigger would.
INSERT INTO minute_counters (scope_id, minute, milestone, shard, count)
SELECT unnest(counter_scopes(campaign_id)), minute, milestone, 0, sum(count)
FROM (
    SELECT campaign_id, date_trunc('minute', stamp.at) AS minute, stamp.milestone, count(*) AS count
    FROM messages CROSS JOIN LATERAL (VALUES
        ('ACCEPTED', accept_time), ('SENT', send_time), ('DELIVERED', deliver_time), ('READ', read_time),
        ('FAILED', fail_time)
    ) AS stamp (milestone, at)
    WHERE stamp.at IS NOT NULL
    GROUP BY 1, 2, 3
) AS counted
GROUP BY 1, 2, 3;

-- name: secondary
-- Lists the indexes of tables $1 that keep nothing unique.
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid = ANY ($1::regclass[]) AND NOT indisunique;
