-- migrate:up

-- One template sent to one audience (BULK), or the hidden home of a sender's single messages (DIRECT).
-- bindings: a list of {component, index, parameter, source, value, default_value}; see core/domain/campaigns.py.
-- expand_after_contact_id is the checkpoint of the expansion; audience_count the number of message rows it made.
CREATE TABLE campaigns (
    id uuid NOT NULL DEFAULT uuidv7(),
    kind text NOT NULL DEFAULT 'BULK',
    display_name text NOT NULL,
    sender_id uuid NOT NULL,
    template_id uuid,
    bindings jsonb NOT NULL DEFAULT '[]',
    all_contacts boolean NOT NULL DEFAULT false,
    category_ids uuid[] NOT NULL DEFAULT '{}',
    excluded_category_ids uuid[] NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'DRAFT',
    schedule_time timestamptz,
    messages_per_second double precision,
    unconfirmed_policy text NOT NULL DEFAULT 'HOLD',
    pause_source text NOT NULL DEFAULT '',
    pause_reason text NOT NULL DEFAULT '',
    failure_reason text NOT NULL DEFAULT '',
    expand_after_contact_id uuid,
    expand_complete_time timestamptz,
    audience_count bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 1,
    start_time timestamptz,
    pause_time timestamptz,
    complete_time timestamptz,
    cancel_time timestamptz,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT campaigns_pkey PRIMARY KEY (id),
    CONSTRAINT campaigns_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES senders (id),
    CONSTRAINT campaigns_template_id_fkey FOREIGN KEY (template_id) REFERENCES templates (id),
    CONSTRAINT campaigns_kind_check CHECK (kind IN ('BULK', 'DIRECT')),
    CONSTRAINT campaigns_template_check CHECK (kind = 'DIRECT' OR template_id IS NOT NULL),
    CONSTRAINT campaigns_state_check CHECK (state IN ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'COMPLETED', 'CANCELLED', 'FAILED')),
    CONSTRAINT campaigns_schedule_check CHECK (state <> 'SCHEDULED' OR schedule_time IS NOT NULL),
    CONSTRAINT campaigns_unconfirmed_policy_check CHECK (unconfirmed_policy IN ('RESEND', 'HOLD')),
    CONSTRAINT campaigns_pause_source_check CHECK (pause_source IN ('', 'USER', 'TEMPLATE', 'SENDER', 'ACCOUNT', 'CREDENTIAL', 'BREAKER')),
    CONSTRAINT campaigns_messages_per_second_check CHECK (messages_per_second > 0)
);

CREATE UNIQUE INDEX campaigns_direct_key ON campaigns (sender_id) WHERE kind = 'DIRECT';
CREATE INDEX campaigns_list_idx ON campaigns (id) WHERE kind = 'BULK';
CREATE INDEX campaigns_state_idx ON campaigns (state, id) WHERE kind = 'BULK';
CREATE INDEX campaigns_due_idx ON campaigns (schedule_time) WHERE state = 'SCHEDULED';
CREATE INDEX campaigns_active_idx ON campaigns (sender_id, id) WHERE state IN ('RUNNING', 'PAUSED');
CREATE INDEX campaigns_template_id_idx ON campaigns (template_id);

-- migrate:down
DROP TABLE campaigns;
