-- name: add
-- Notes a change: $1 key, $2 method, $3 resource name, $4 id of the call.
INSERT INTO audit_events (api_key_id, method, resource_name, request_id)
VALUES ($1, $2, $3, $4);

-- name: list_of_resource
-- Lists the newest changes of a resource ($1) first, at most $2.
SELECT id, api_key_id, method, resource_name, request_id, event_time
FROM audit_events
WHERE resource_name = $1
ORDER BY id DESC
LIMIT $2;
