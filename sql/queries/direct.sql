-- name: find_direct_campaign
-- Finds the hidden campaign of sender $1's single messages. No row: it has sent none yet.
SELECT id
FROM campaigns
WHERE sender_id = $1 AND kind = 'DIRECT';

-- name: create_direct_campaign
-- Makes the hidden campaign of sender $1, named $2, at $3; it runs for ever. Two at once get the same one.
INSERT INTO campaigns (kind, display_name, sender_id, state, start_time, create_time, update_time)
VALUES ('DIRECT', $2, $1, 'RUNNING', $3, $3, $3)
ON CONFLICT (sender_id) WHERE kind = 'DIRECT' DO UPDATE SET update_time = excluded.update_time
RETURNING id;

-- name: add_direct_message
-- Plans a message of campaign $1 to contact $2 from sender $3 with template $4 (null for a text) and content $5, at once.
INSERT INTO messages (campaign_id, contact_id, sender_id, template_id, parameters)
VALUES ($1, $2, $3, $4, $5)
RETURNING id;

-- name: find_window
-- Reads until when contact $1 may be sent texts from sender $2: 24 hours after they last wrote. No row: they never wrote.
SELECT expire_time
FROM service_windows
WHERE contact_id = $1 AND sender_id = $2;
