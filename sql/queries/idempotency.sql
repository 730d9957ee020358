-- name: reserve
-- Takes a request id for this transaction: $1 key, $2 method, $3 request id, $4 digest of the request.
-- Waits for another transaction that holds it. No row: it is taken, and its reply is committed.
INSERT INTO idempotent_requests (api_key_id, method, request_id, request_digest)
VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT idempotent_requests_pkey DO NOTHING
RETURNING true;

-- name: find
-- Reads what was answered: $1 key, $2 method, $3 request id. No row: it was removed meanwhile.
SELECT request_digest, reply, outdated
FROM idempotent_requests
WHERE api_key_id = $1 AND method = $2 AND request_id = $3;

-- name: answer
-- Keeps the reply ($4) of a reserved request id: $1 key, $2 method, $3 request id, $5 the contact it tells of or NULL, $6 what
-- it outdated.
UPDATE idempotent_requests
SET reply = $4, contact_id = $5, outdated = $6
WHERE api_key_id = $1 AND method = $2 AND request_id = $3;

-- name: forget_contact
-- Empties the replies that tell of a contact ($1); their request ids stay taken.
UPDATE idempotent_requests
SET reply = NULL, contact_id = NULL
WHERE contact_id = $1;

-- name: purge
-- Removes what was answered before $1, at most $2 rows, oldest first.
WITH old AS (
    SELECT api_key_id, method, request_id
    FROM idempotent_requests
    WHERE create_time < $1
    ORDER BY create_time
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotent_requests AS kept
USING old
WHERE kept.api_key_id = old.api_key_id AND kept.method = old.method AND kept.request_id = old.request_id;
