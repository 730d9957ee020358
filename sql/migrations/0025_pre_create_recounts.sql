-- migrate:up

-- When the counters of a campaign, or (scope_id all zeros) of the deployment, were last compared with the rows, and by how
-- much they differed.
CREATE TABLE recounts (
    scope_id uuid NOT NULL,
    recount_time timestamptz NOT NULL,
    difference_count bigint NOT NULL DEFAULT 0,
    CONSTRAINT recounts_pkey PRIMARY KEY (scope_id)
);

CREATE INDEX recounts_differing_idx ON recounts (scope_id) WHERE difference_count > 0;

-- migrate:down
DROP TABLE recounts;
