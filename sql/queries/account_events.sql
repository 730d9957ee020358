-- What WhatsApp announced of accounts, numbers and templates of ours, kept to be shown.

-- name: keep_events
-- Keeps announcements, by position: account $1, topic $2, event $3, value $4, moment $5. What is told again is kept once.
INSERT INTO account_events (whatsapp_account_id, topic, event, value, event_time)
SELECT whatsapp_account_id, topic, event, value, event_time
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[])
    AS told (whatsapp_account_id, topic, event, value, event_time)
-- Always in the same order, or two who keep the same would wait for each other in a ring.
ORDER BY whatsapp_account_id, topic, event_time, md5(value::text)
ON CONFLICT DO NOTHING;

-- name: list_events
-- Lists what came since $1, the newest first, at most $2.
SELECT whatsapp_account_id, topic, event, value, event_time
FROM account_events
WHERE create_time >= $1
ORDER BY id DESC
LIMIT $2;

-- name: delete_old_events
-- Forgets those among the $2 oldest that came before $1; ids come in that order.
DELETE FROM account_events
WHERE id = ANY (ARRAY (SELECT oldest.id FROM account_events AS oldest ORDER BY oldest.id LIMIT $2))
    AND create_time < $1;
