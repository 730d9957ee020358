-- migrate:up

-- Skips are counted by their reason, so that reading them takes as long for a million as for one. Other states count under
-- the empty reason.
LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE counters ADD COLUMN reason text NOT NULL DEFAULT '';
ALTER TABLE counters DROP CONSTRAINT counters_pkey;
ALTER TABLE counters ADD CONSTRAINT counters_pkey PRIMARY KEY (scope_id, state, error_code, reason, shard);
DELETE FROM counters WHERE state = 'SKIPPED';
INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
SELECT unnest(counter_scopes(campaign_id)), 'SKIPPED', error_code, reason, 0, count(*)
FROM messages
WHERE state = 'SKIPPED'
GROUP BY 1, 3, 4;

CREATE OR REPLACE FUNCTION count_inserted_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
    SELECT scope_id, state, error_code, reason, pg_backend_pid() % 16, count
    FROM (
        SELECT unnest(counter_scopes(campaign_id)) AS scope_id, state, error_code, reason, sum(count) AS count
        FROM (
            SELECT campaign_id, state, error_code, CASE state WHEN 'SKIPPED' THEN reason ELSE '' END AS reason, count(*) AS count
            FROM new_rows GROUP BY 1, 2, 3, 4
        ) AS grouped
        GROUP BY 1, 2, 3, 4
    ) AS added
    ORDER BY 1, 2, 3, 4
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count;
    RETURN NULL;
END
$$;

-- Keys are taken in order, so that two statements on one shard never wait for each other in a ring.
CREATE OR REPLACE FUNCTION count_updated_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS (
        SELECT campaign_id, state, error_code, CASE state WHEN 'SKIPPED' THEN reason ELSE '' END AS reason, -count(*) AS count
        FROM old_rows GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT campaign_id, state, error_code, CASE state WHEN 'SKIPPED' THEN reason ELSE '' END, count(*)
        FROM new_rows GROUP BY 1, 2, 3, 4
    )
    INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
    SELECT scope_id, state, error_code, reason, pg_backend_pid() % 16, sum(count)
    FROM (SELECT unnest(counter_scopes(campaign_id)) AS scope_id, state, error_code, reason, count FROM moved) AS scoped
    GROUP BY 1, 2, 3, 4
    HAVING sum(count) <> 0
    ORDER BY 1, 2, 3, 4
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count;

    WITH both_rows AS (
        SELECT campaign_id, accept_time, send_time, deliver_time, read_time, fail_time, -1 AS count FROM old_rows
        UNION ALL
        SELECT campaign_id, accept_time, send_time, deliver_time, read_time, fail_time, 1 AS count FROM new_rows
    ), stamped AS (
        SELECT both_rows.campaign_id, date_trunc('minute', stamp.at) AS minute, stamp.milestone, sum(both_rows.count) AS count
        FROM both_rows
        CROSS JOIN LATERAL (VALUES
            ('ACCEPTED', both_rows.accept_time),
            ('SENT', both_rows.send_time),
            ('DELIVERED', both_rows.deliver_time),
            ('READ', both_rows.read_time),
            ('FAILED', both_rows.fail_time)
        ) AS stamp (milestone, at)
        WHERE stamp.at IS NOT NULL
        GROUP BY 1, 2, 3
        HAVING sum(both_rows.count) <> 0
    )
    INSERT INTO minute_counters (scope_id, minute, milestone, shard, count)
    SELECT scope_id, minute, milestone, pg_backend_pid() % 16, sum(count)
    FROM (SELECT unnest(counter_scopes(campaign_id)) AS scope_id, minute, milestone, count FROM stamped) AS scoped
    GROUP BY 1, 2, 3
    HAVING sum(count) <> 0
    ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT minute_counters_pkey DO UPDATE SET count = minute_counters.count + excluded.count;
    RETURN NULL;
END
$$;

-- Which messages were answered, and how many that are: the first interaction with a message counts it, no other does.
CREATE TABLE replied_messages (
    campaign_id uuid NOT NULL,
    message_id uuid NOT NULL,
    CONSTRAINT replied_messages_pkey PRIMARY KEY (campaign_id, message_id)
);

CREATE TABLE reply_counters (
    scope_id uuid NOT NULL,
    shard smallint NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT reply_counters_pkey PRIMARY KEY (scope_id, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE FUNCTION count_replied_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH first AS (
        INSERT INTO replied_messages (campaign_id, message_id)
        SELECT DISTINCT campaign_id, message_id FROM new_rows
        WHERE campaign_id IS NOT NULL AND message_id IS NOT NULL
        ORDER BY 1, 2
        ON CONFLICT ON CONSTRAINT replied_messages_pkey DO NOTHING
        RETURNING campaign_id
    )
    INSERT INTO reply_counters (scope_id, shard, count)
    SELECT scope_id, pg_backend_pid() % 16, count(*)
    FROM (SELECT unnest(counter_scopes(campaign_id)) AS scope_id FROM first) AS scoped
    GROUP BY 1
    ORDER BY 1
    ON CONFLICT ON CONSTRAINT reply_counters_pkey DO UPDATE SET count = reply_counters.count + excluded.count;
    RETURN NULL;
END
$$;

LOCK TABLE interactions IN SHARE ROW EXCLUSIVE MODE;
CREATE TRIGGER interactions_count_insert AFTER INSERT ON interactions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_replied_messages();
INSERT INTO replied_messages (campaign_id, message_id)
SELECT DISTINCT campaign_id, message_id FROM interactions WHERE campaign_id IS NOT NULL AND message_id IS NOT NULL;
INSERT INTO reply_counters (scope_id, shard, count)
SELECT unnest(counter_scopes(campaign_id)), 0, count(*) FROM replied_messages GROUP BY 1;

-- migrate:down
DROP TRIGGER interactions_count_insert ON interactions;
DROP FUNCTION count_replied_messages();
DROP TABLE reply_counters;
DROP TABLE replied_messages;
LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM counters WHERE state = 'SKIPPED';
ALTER TABLE counters DROP CONSTRAINT counters_pkey;
ALTER TABLE counters DROP COLUMN reason;
ALTER TABLE counters ADD CONSTRAINT counters_pkey PRIMARY KEY (scope_id, state, error_code, shard);
INSERT INTO counters (scope_id, state, error_code, shard, count)
SELECT unnest(counter_scopes(campaign_id)), 'SKIPPED', error_code, 0, count(*)
FROM messages
WHERE state = 'SKIPPED'
GROUP BY 1, 3;

CREATE OR REPLACE FUNCTION count_inserted_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counters (scope_id, state, error_code, shard, count)
    SELECT scope_id, state, error_code, pg_backend_pid() % 16, count
    FROM (
        SELECT unnest(counter_scopes(campaign_id)) AS scope_id, state, error_code, sum(count) AS count
        FROM (SELECT campaign_id, state, error_code, count(*) AS count FROM new_rows GROUP BY 1, 2, 3) AS grouped
        GROUP BY 1, 2, 3
    ) AS added
    ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION count_updated_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS (
        SELECT campaign_id, state, error_code, -count(*) AS count FROM old_rows GROUP BY 1, 2, 3
        UNION ALL
        SELECT campaign_id, state, error_code, count(*) AS count FROM new_rows GROUP BY 1, 2, 3
    )
    INSERT INTO counters (scope_id, state, error_code, shard, count)
    SELECT scope_id, state, error_code, pg_backend_pid() % 16, sum(count)
    FROM (SELECT unnest(counter_scopes(campaign_id)) AS scope_id, state, error_code, count FROM moved) AS scoped
    GROUP BY 1, 2, 3
    HAVING sum(count) <> 0
    ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count;

    WITH both_rows AS (
        SELECT campaign_id, accept_time, send_time, deliver_time, read_time, fail_time, -1 AS count FROM old_rows
        UNION ALL
        SELECT campaign_id, accept_time, send_time, deliver_time, read_time, fail_time, 1 AS count FROM new_rows
    ), stamped AS (
        SELECT both_rows.campaign_id, date_trunc('minute', stamp.at) AS minute, stamp.milestone, sum(both_rows.count) AS count
        FROM both_rows
        CROSS JOIN LATERAL (VALUES
            ('ACCEPTED', both_rows.accept_time),
            ('SENT', both_rows.send_time),
            ('DELIVERED', both_rows.deliver_time),
            ('READ', both_rows.read_time),
            ('FAILED', both_rows.fail_time)
        ) AS stamp (milestone, at)
        WHERE stamp.at IS NOT NULL
        GROUP BY 1, 2, 3
        HAVING sum(both_rows.count) <> 0
    )
    INSERT INTO minute_counters (scope_id, minute, milestone, shard, count)
    SELECT scope_id, minute, milestone, pg_backend_pid() % 16, sum(count)
    FROM (SELECT unnest(counter_scopes(campaign_id)) AS scope_id, minute, milestone, count FROM stamped) AS scoped
    GROUP BY 1, 2, 3
    HAVING sum(count) <> 0
    ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT minute_counters_pkey DO UPDATE SET count = minute_counters.count + excluded.count;
    RETURN NULL;
END
$$;
