-- name: acquire_pump
-- Makes a run the pump of a sender. $1 sender, $2 slot, $3 holder, a name that no other run has, $4 seconds. No row: another one
-- is. Returns what the last pump that released it left behind, and for how long none has ended without releasing it.
INSERT INTO pumps (sender_id, slot, holder, lease_expire_time)
VALUES ($1, $2, $3, now() + make_interval(secs => $4))
ON CONFLICT ON CONSTRAINT pumps_pkey DO UPDATE
SET holder = excluded.holder,
    lease_expire_time = excluded.lease_expire_time,
    silent_end_time = CASE WHEN pumps.holder = '' THEN pumps.silent_end_time ELSE pumps.lease_expire_time END
WHERE pumps.lease_expire_time < now()
RETURNING
    release_time,
    left_seconds,
    extract(EPOCH FROM now() - release_time)::float8 AS release_age,
    extract(EPOCH FROM now() - silent_end_time)::float8 AS silence;

-- name: renew_pump
-- Lets a lease last $4 seconds from now, also one that has ended, unless another run has taken it since. $1 sender, $2 slot,
-- $3 holder. No row: one has.
UPDATE pumps
SET lease_expire_time = now() + make_interval(secs => $4)
WHERE sender_id = $1 AND slot = $2 AND holder = $3
RETURNING lease_expire_time;

-- name: release_pump
-- Lets go of a sender, so that the next pump need not wait for the lease. $1 sender, $2 slot, $3 holder, $4 seconds that each
-- message which left counts for the pace. No row: another one has it.
UPDATE pumps
SET lease_expire_time = '-infinity', holder = '', release_time = now(), left_seconds = $4
WHERE sender_id = $1 AND slot = $2 AND holder = $3
RETURNING release_time;

-- name: list_due_senders
-- Senders that have something to send now and nobody who sends it. No row: all is in hand.
SELECT senders.id
FROM senders
WHERE senders.state = 'ACTIVE'
    AND NOT EXISTS (SELECT FROM pumps WHERE pumps.sender_id = senders.id AND pumps.lease_expire_time > now())
    AND EXISTS (
        SELECT FROM campaigns
        CROSS JOIN LATERAL (
            SELECT messages.id FROM messages
            WHERE messages.campaign_id = campaigns.id AND messages.state = 'PENDING' AND messages.not_before_time <= now()
            ORDER BY messages.not_before_time, messages.id
            LIMIT 1
        ) AS due
        WHERE campaigns.sender_id = senders.id AND campaigns.state = 'RUNNING'
    )
ORDER BY senders.id;

-- name: get_pumped_sender
-- What a pump must know of its sender. $1 sender. No row: there is none, or it is paused.
SELECT id, phone_number_id, credential_reference, messages_per_second
FROM senders
WHERE id = $1 AND state = 'ACTIVE';

-- name: lock_keeper
-- Whether this transaction may keep house now: one keeper at a time in the whole deployment. $1 the lock's number.
-- From one that is frozen, and beats no more, it is taken: leases would not end, nor campaigns start.
SELECT pg_try_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', '3s', true);

-- name: beat
-- Shows that the keeper lives, while its round is made on other connections.
SELECT 1;
