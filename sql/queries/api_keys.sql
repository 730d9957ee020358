-- name: add
-- Keeps a key: $1 display name, $2 role, $3 first characters, $4 SHA-256, $5 expire time or NULL.
INSERT INTO api_keys (display_name, role, key_prefix, key_hash, expire_time)
VALUES ($1, $2, $3, $4, $5)
RETURNING id, display_name, role, key_prefix, create_time, expire_time, revoke_time;

-- name: find
-- Finds a key by its SHA-256 ($1). No row: nobody was given it.
SELECT id, display_name, role, key_prefix, create_time, expire_time, revoke_time
FROM api_keys
WHERE key_hash = $1;

-- name: list_all
-- Lists the newest keys first, at most $1.
SELECT id, display_name, role, key_prefix, create_time, expire_time, revoke_time
FROM api_keys
ORDER BY id DESC
LIMIT $1;

-- name: revoke
-- Ends the key with those first characters ($1) now; an earlier end stays. No row: there is no such key.
UPDATE api_keys
SET revoke_time = coalesce(revoke_time, now())
WHERE key_prefix = $1
RETURNING id, display_name, role, key_prefix, create_time, expire_time, revoke_time;
