-- migrate:up

-- How many messages are in each state, per campaign and (scope_id all zeros) in the whole deployment. Sixteen shards by
-- backend keep writers off each other's rows; a read sums at most sixteen rows per state and error code.
CREATE TABLE counters (
    scope_id uuid NOT NULL,
    state text NOT NULL,
    error_code integer NOT NULL,
    shard smallint NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT counters_pkey PRIMARY KEY (scope_id, state, error_code, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- How many messages reached each milestone in each minute, by the milestone's own time column: ACCEPTED (accept_time),
-- SENT, DELIVERED, READ, FAILED. Closed minutes are folded into hour_counters.
CREATE TABLE minute_counters (
    scope_id uuid NOT NULL,
    minute timestamptz NOT NULL,
    milestone text NOT NULL,
    shard smallint NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT minute_counters_pkey PRIMARY KEY (scope_id, minute, milestone, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX minute_counters_minute_idx ON minute_counters (minute);

CREATE TABLE hour_counters (
    scope_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    milestone text NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT hour_counters_pkey PRIMARY KEY (scope_id, hour, milestone)
);

-- The two scopes a message counts in.
CREATE FUNCTION counter_scopes(campaign_id uuid) RETURNS uuid[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY[campaign_id, '00000000-0000-0000-0000-000000000000'::uuid];

CREATE FUNCTION count_inserted_messages() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- Keys are taken in order, so that two statements on one shard never wait for each other in a ring.
CREATE FUNCTION count_updated_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS (
        SELECT
            new_rows.campaign_id,
            old_rows.state AS old_state, old_rows.error_code AS old_error_code,
            new_rows.state AS new_state, new_rows.error_code AS new_error_code,
            count(*) AS count
        FROM new_rows JOIN old_rows USING (campaign_id, id)
        WHERE (new_rows.state, new_rows.error_code) IS DISTINCT FROM (old_rows.state, old_rows.error_code)
        GROUP BY 1, 2, 3, 4, 5
    ), moved AS (
        SELECT campaign_id, old_state AS state, old_error_code AS error_code, -count AS count FROM changed
        UNION ALL
        SELECT campaign_id, new_state, new_error_code, count FROM changed
    )
    INSERT INTO counters (scope_id, state, error_code, shard, count)
    SELECT scope_id, state, error_code, pg_backend_pid() % 16, sum(count)
    FROM (SELECT unnest(counter_scopes(campaign_id)) AS scope_id, state, error_code, count FROM moved) AS scoped
    GROUP BY 1, 2, 3
    HAVING sum(count) <> 0
    ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count;

    WITH stamped AS (
        SELECT new_rows.campaign_id, date_trunc('minute', step.at) AS minute, stamp.milestone, sum(step.count) AS count
        FROM new_rows
        JOIN old_rows USING (campaign_id, id)
        CROSS JOIN LATERAL (VALUES
            ('ACCEPTED', old_rows.accept_time, new_rows.accept_time),
            ('SENT', old_rows.send_time, new_rows.send_time),
            ('DELIVERED', old_rows.deliver_time, new_rows.deliver_time),
            ('READ', old_rows.read_time, new_rows.read_time),
            ('FAILED', old_rows.fail_time, new_rows.fail_time)
        ) AS stamp (milestone, before, after)
        CROSS JOIN LATERAL (VALUES (stamp.before, -1), (stamp.after, 1)) AS step (at, count)
        WHERE stamp.before IS DISTINCT FROM stamp.after
            AND step.at IS NOT NULL
        GROUP BY 1, 2, 3
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

CREATE TRIGGER messages_count_insert AFTER INSERT ON messages
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_inserted_messages();
CREATE TRIGGER messages_count_update AFTER UPDATE ON messages
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_updated_messages();

-- migrate:down
DROP TRIGGER messages_count_update ON messages;
DROP TRIGGER messages_count_insert ON messages;
DROP FUNCTION count_updated_messages();
DROP FUNCTION count_inserted_messages();
DROP FUNCTION counter_scopes(uuid);
DROP TABLE hour_counters;
DROP TABLE minute_counters;
DROP TABLE counters;
