-- name: old_campaigns
-- Adds campaigns of past years whose messages are gone, older than all others.
INSERT INTO campaigns (id, display_name, sender_id, template_id, state, all_contacts, complete_time, cancel_time,
    start_time, expand_complete_time, create_time, update_time)
SELECT uuidv7(interval '-3 years' + n * interval '4 hours'), 'Old campaign ' || n,
    (SELECT id FROM senders ORDER BY id OFFSET n % 3 LIMIT 1),
    (SELECT id FROM templates ORDER BY id OFFSET n % 20 LIMIT 1),
    CASE WHEN n % 20 = 0 THEN 'CANCELLED' ELSE 'COMPLETED' END, true,
    CASE WHEN n % 20 <> 0 THEN moment.at END, CASE WHEN n % 20 = 0 THEN moment.at END,
    moment.at, moment.at, moment.at, moment.at
FROM generate_series(1, 5000) AS n
CROSS JOIN LATERAL (SELECT now() - interval '3 years' + n * interval '4 hours' AS at) AS moment;

-- name: bodies
-- Adds a body for every fifth message, as the door keeps them: nearly all applied, a few strange, a few that nobody
-- traced, the last hundreds waiting, of which people may say stop in some.
INSERT INTO webhook_deliveries (id, body, receive_time, attempt, apply_time, error, traces, unknown, is_urgent)
SELECT uuidv7(moment.before), convert_to(repeat('{"statuses": []}', 25), 'UTF8'), now() + moment.before,
    CASE WHEN is_waiting THEN 0 ELSE 1 END, CASE WHEN NOT is_waiting THEN now() + moment.before END,
    CASE WHEN n % 1000 = 1 THEN 'ValueError' ELSE '' END,
    CASE WHEN NOT is_waiting AND n % 500 <> 2 THEN ARRAY[hashint8extended(n, 1), hashint8extended(n, 2)] END,
    CASE WHEN n % 1000 = 3 THEN '{"calls": 1}'::jsonb ELSE '{}'::jsonb END, is_waiting AND n % 15 = 0
FROM (SELECT count(*) / 5 AS count FROM messages) AS messages
CROSS JOIN LATERAL generate_series(1, messages.count) AS n
CROSS JOIN LATERAL (
    SELECT (n - messages.count) * interval '10 seconds' AS before, n > messages.count * 0.985 AS is_waiting
) AS moment;

-- name: consents
-- Adds what every contact once chose, and what some chose since.
INSERT INTO consent_events (contact_id, person_hash, consent, source, event_time)
SELECT id, sha256(convert_to(phone_number, 'UTF8')), CASE WHEN n = 2 THEN 'OPTED_OUT' ELSE 'OPTED_IN' END, 'import',
    create_time + n * interval '1 day'
FROM contacts
CROSS JOIN generate_series(1, 2) AS n
WHERE n = 1 OR hashtext(id::text) % 10 = 0
ORDER BY n, id;
