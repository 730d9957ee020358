-- name: list_interactions
-- Lists $2 interactions before id $1, the last learned of first.
SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time,
    create_time
FROM interactions
WHERE id < $1
ORDER BY id DESC
LIMIT $2;

-- name: list_interactions_of_kind
-- Lists $2 interactions of kind $3 before id $1, the last learned of first; in the order of the one index that holds kinds.
SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time,
    create_time
FROM interactions
WHERE id < $1
    AND kind = $3
ORDER BY id DESC NULLS LAST
LIMIT $2;

-- name: list_interactions_of_contact
-- Lists $2 interactions of contact $3 before id $1, the last learned of first; only of kind $4 unless that is null. The kind is
-- asked for so that no index will do: statistics from before a kind was first met would enter by it, and read all there are.
SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time,
    create_time
FROM interactions
WHERE id < $1
    AND contact_id = $3
    AND (kind = $4::text) IS NOT FALSE
ORDER BY id DESC
LIMIT $2;

-- name: list_campaign_interactions
-- Lists $4 answers to campaign $1 before time $2 and id $3, the last done first. One row without an answer: there are
-- none. No row: no such campaign.
SELECT page.id, whatsapp_message_id, page.sender_id, contact_id, campaign_id, message_id, page.kind, text, payload,
    interaction_time, page.create_time
FROM campaigns
LEFT JOIN LATERAL (
    SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload,
        interaction_time, create_time
    FROM interactions
    WHERE campaign_id = $1
        AND (interaction_time, id) < ($2, $3)
    ORDER BY interaction_time DESC, id DESC
    LIMIT $4
) AS page ON true
WHERE campaigns.id = $1
ORDER BY interaction_time DESC, page.id DESC;

-- name: list_campaign_interactions_of_kind
-- Like list_campaign_interactions, of kind $5 alone, in the order of the one index that holds them.
SELECT page.id, whatsapp_message_id, page.sender_id, contact_id, campaign_id, message_id, page.kind, text, payload,
    interaction_time, page.create_time
FROM campaigns
LEFT JOIN LATERAL (
    SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload,
        interaction_time, create_time
    FROM interactions
    WHERE campaign_id = $1
        AND kind = $5
        AND (interaction_time, id) < ($2, $3)
    ORDER BY interaction_time DESC NULLS LAST, id DESC NULLS LAST
    LIMIT $4
) AS page ON true
WHERE campaigns.id = $1
ORDER BY interaction_time DESC, page.id DESC;

-- name: list_campaign_interactions_of_contact
-- Like list_campaign_interactions, of contact $5 alone: few rows, read by the contact before they are ordered; only of
-- kind $6 unless that is null.
WITH theirs AS MATERIALIZED (
    SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload,
        interaction_time, create_time
    FROM interactions
    WHERE contact_id = $5
)
SELECT theirs.id, whatsapp_message_id, theirs.sender_id, contact_id, campaign_id, message_id, theirs.kind, text, payload,
    interaction_time, theirs.create_time
FROM campaigns
LEFT JOIN theirs ON theirs.campaign_id = $1
    AND (interaction_time, theirs.id) < ($2, $3)
    AND ($6::text IS NULL OR theirs.kind = $6)
WHERE campaigns.id = $1
ORDER BY interaction_time DESC, theirs.id DESC
LIMIT $4;

-- name: list_message_interactions
-- Like list_campaign_interactions, of message $5 alone: few rows, read by the message before they are ordered; only of
-- contact $6 and kind $7 unless these are null.
WITH theirs AS MATERIALIZED (
    SELECT id, whatsapp_message_id, sender_id, contact_id, campaign_id, message_id, kind, text, payload,
        interaction_time, create_time
    FROM interactions
    WHERE message_id = $5
)
SELECT theirs.id, theirs.whatsapp_message_id, theirs.sender_id, theirs.contact_id, theirs.campaign_id, theirs.message_id,
    kind, text, payload, interaction_time, theirs.create_time
FROM messages
LEFT JOIN theirs ON theirs.campaign_id = $1
    AND (interaction_time, theirs.id) < ($2, $3)
    AND ($6::uuid IS NULL OR theirs.contact_id = $6)
    AND ($7::text IS NULL OR theirs.kind = $7)
WHERE messages.campaign_id = $1
    AND messages.id = $5
ORDER BY interaction_time DESC, theirs.id DESC
LIMIT $4;

-- name: count_interactions
-- Counts the answers to campaign $1 and the contacts behind them, by kind and (kind null, is_total) in all.
-- No row: no such campaign.
SELECT interactions.kind, grouping(interactions.kind) = 1 AS is_total, count(interactions.id) AS interaction_count,
    count(DISTINCT interactions.contact_id) AS contact_count
FROM campaigns
LEFT JOIN interactions ON interactions.campaign_id = campaigns.id
WHERE campaigns.id = $1
GROUP BY GROUPING SETS ((campaigns.id), (campaigns.id, interactions.kind));
