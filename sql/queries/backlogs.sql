-- name: get_backlog
-- What campaign $1 still has to do at $2; its sender's pace is shared by all that have something to send. No row: there is
-- no such campaign.
SELECT
    campaigns.state AS campaign_state, senders.state AS sender_state,
    least(
        campaigns.messages_per_second, senders.messages_per_second / greatest(1, sharing.count),
        CASE WHEN campaigns.probe_time > $2::timestamptz - interval '1 minute' THEN 0.2 END
    ) AS bound_per_second,
    campaigns.expand_complete_time IS NULL AS is_expanding,
    EXISTS (
        SELECT FROM messages
        WHERE messages.campaign_id = campaigns.id AND messages.state = 'PENDING' AND messages.not_before_time <= $2
    ) AS has_due,
    EXISTS (
        SELECT FROM messages
        WHERE messages.campaign_id = campaigns.id AND messages.state = 'PENDING' AND messages.not_before_time > $2
    ) AS has_later,
    counted.sending_count, counted.unconfirmed_count, counted.held_count
FROM campaigns
JOIN senders ON senders.id = campaigns.sender_id
CROSS JOIN LATERAL (
    SELECT count(*) AS count
    FROM campaigns AS other
    WHERE other.sender_id = campaigns.sender_id AND other.state = 'RUNNING' AND other.kind = 'BULK'
        AND (SELECT sum(counters.count) FROM counters WHERE counters.scope_id = other.id AND counters.state = 'PENDING') > 0
) AS sharing
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(count) FILTER (WHERE counters.state = 'SENDING'), 0)::bigint AS sending_count,
        coalesce(sum(count) FILTER (WHERE counters.state = 'UNCONFIRMED'), 0)::bigint AS unconfirmed_count,
        coalesce(sum(count) FILTER (WHERE counters.state = 'HELD'), 0)::bigint AS held_count
    FROM counters
    WHERE counters.scope_id = campaigns.id
) AS counted
WHERE campaigns.id = $1;

-- name: get_queue
-- What all campaigns have waiting: messages still to be sent in those that run, claimed, in doubt, held by WhatsApp; for
-- how many seconds the oldest webhook body has waited; and by how much counters were found to differ from rows. Read from
-- counters (deployment $1) and short indexes.
SELECT
    coalesce((
        SELECT sum(counters.count)
        FROM campaigns JOIN counters ON counters.scope_id = campaigns.id AND counters.state = 'PENDING'
        WHERE campaigns.state = 'RUNNING'
    ), 0)::bigint AS due_count,
    whole.claimed_count, whole.unconfirmed_count, whole.held_count,
    coalesce((
        SELECT extract(epoch FROM now() - receive_time)
        FROM webhook_deliveries
        WHERE apply_time IS NULL
        ORDER BY id
        LIMIT 1
    ), 0)::double precision AS oldest_delivery_seconds,
    (SELECT coalesce(sum(difference_count), 0)::bigint FROM recounts WHERE difference_count > 0) AS difference_count
FROM (
    SELECT
        coalesce(sum(count) FILTER (WHERE state = 'SENDING'), 0)::bigint AS claimed_count,
        coalesce(sum(count) FILTER (WHERE state = 'UNCONFIRMED'), 0)::bigint AS unconfirmed_count,
        coalesce(sum(count) FILTER (WHERE state = 'HELD'), 0)::bigint AS held_count
    FROM counters
    WHERE scope_id = $1
) AS whole;
