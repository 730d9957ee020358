-- The schema that all migrations together must produce. Made by `make gen`; do not edit.

CREATE FUNCTION public.count_category_contacts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM 1 FROM categories WHERE id IN (SELECT category_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
        UPDATE categories SET contact_count = contact_count + added.count
        FROM (SELECT category_id, count(*) AS count FROM new_rows GROUP BY category_id) AS added
        WHERE categories.id = added.category_id;
    ELSE
        PERFORM 1 FROM categories WHERE id IN (SELECT category_id FROM old_rows) ORDER BY id FOR NO KEY UPDATE;
        UPDATE categories SET contact_count = contact_count - removed.count
        FROM (SELECT category_id, count(*) AS count FROM old_rows GROUP BY category_id) AS removed
        WHERE categories.id = removed.category_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.count_inserted_messages() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.count_replied_messages() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.count_updated_messages() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.counter_scopes(campaign_id uuid) RETURNS uuid[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY[campaign_id, '00000000-0000-0000-0000-000000000000'::uuid];

CREATE FUNCTION public.keep_former_identities() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.phone_number <> coalesce(NEW.phone_number, '') THEN
        NEW.former_identities = array_append(NEW.former_identities, OLD.phone_number);
    END IF;
    IF OLD.whatsapp_user_id <> coalesce(NEW.whatsapp_user_id, '') THEN
        NEW.former_identities = array_append(NEW.former_identities, OLD.whatsapp_user_id);
    END IF;
    RETURN NEW;
END $$;

CREATE TABLE public.account_events (
    id uuid DEFAULT uuidv7() NOT NULL,
    whatsapp_account_id text NOT NULL,
    topic text NOT NULL,
    event text NOT NULL,
    value jsonb NOT NULL,
    event_time timestamp with time zone NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.announcements (
    whatsapp_account_id text NOT NULL,
    digits text NOT NULL,
    is_blocked boolean NOT NULL,
    event_time timestamp with time zone NOT NULL,
    end_time timestamp with time zone
);

CREATE TABLE public.api_keys (
    id uuid DEFAULT uuidv7() NOT NULL,
    display_name text DEFAULT ''::text NOT NULL,
    role text NOT NULL,
    key_prefix text NOT NULL,
    key_hash bytea NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    expire_time timestamp with time zone,
    revoke_time timestamp with time zone,
    CONSTRAINT api_keys_role_check CHECK ((role = ANY (ARRAY['VIEWER'::text, 'OPERATOR'::text, 'ADMIN'::text])))
);

CREATE TABLE public.audit_events (
    id uuid DEFAULT uuidv7() NOT NULL,
    api_key_id uuid NOT NULL,
    method text NOT NULL,
    resource_name text DEFAULT ''::text NOT NULL,
    request_id text DEFAULT ''::text NOT NULL,
    event_time timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.campaigns (
    id uuid DEFAULT uuidv7() NOT NULL,
    kind text DEFAULT 'BULK'::text NOT NULL,
    display_name text NOT NULL,
    sender_id uuid NOT NULL,
    template_id uuid,
    bindings jsonb DEFAULT '[]'::jsonb NOT NULL,
    all_contacts boolean DEFAULT false NOT NULL,
    category_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    excluded_category_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    state text DEFAULT 'DRAFT'::text NOT NULL,
    schedule_time timestamp with time zone,
    messages_per_second double precision,
    unconfirmed_policy text DEFAULT 'HOLD'::text NOT NULL,
    pause_source text DEFAULT ''::text NOT NULL,
    pause_reason text DEFAULT ''::text NOT NULL,
    failure_reason text DEFAULT ''::text NOT NULL,
    expand_after_contact_id uuid,
    expand_complete_time timestamp with time zone,
    audience_count bigint DEFAULT 0 NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    start_time timestamp with time zone,
    pause_time timestamp with time zone,
    complete_time timestamp with time zone,
    cancel_time timestamp with time zone,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    update_time timestamp with time zone DEFAULT now() NOT NULL,
    pause_code integer DEFAULT 0 NOT NULL,
    resume_time timestamp with time zone,
    probe_count integer,
    probe_time timestamp with time zone,
    run_time timestamp with time zone,
    CONSTRAINT campaigns_kind_check CHECK ((kind = ANY (ARRAY['BULK'::text, 'DIRECT'::text]))),
    CONSTRAINT campaigns_messages_per_second_check CHECK ((messages_per_second > (0)::double precision)),
    CONSTRAINT campaigns_pause_source_check CHECK ((pause_source = ANY (ARRAY[''::text, 'USER'::text, 'TEMPLATE'::text, 'SENDER'::text, 'ACCOUNT'::text, 'CREDENTIAL'::text, 'BREAKER'::text]))),
    CONSTRAINT campaigns_schedule_check CHECK (((state <> 'SCHEDULED'::text) OR (schedule_time IS NOT NULL))),
    CONSTRAINT campaigns_state_check CHECK ((state = ANY (ARRAY['DRAFT'::text, 'SCHEDULED'::text, 'RUNNING'::text, 'PAUSED'::text, 'COMPLETED'::text, 'CANCELLED'::text, 'FAILED'::text]))),
    CONSTRAINT campaigns_template_check CHECK (((kind = 'DIRECT'::text) OR (template_id IS NOT NULL))),
    CONSTRAINT campaigns_unconfirmed_policy_check CHECK ((unconfirmed_policy = ANY (ARRAY['RESEND'::text, 'HOLD'::text])))
);

CREATE TABLE public.category_contacts (
    category_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.contacts (
    id uuid DEFAULT uuidv7() NOT NULL,
    phone_number text,
    whatsapp_user_id text,
    display_name text DEFAULT ''::text NOT NULL,
    language_code text DEFAULT ''::text NOT NULL,
    time_zone text DEFAULT ''::text NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    whatsapp_state text DEFAULT 'UNKNOWN'::text NOT NULL,
    marketing_consent text DEFAULT 'UNKNOWN'::text NOT NULL,
    consent_time timestamp with time zone,
    consent_source text DEFAULT ''::text NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    update_time timestamp with time zone DEFAULT now() NOT NULL,
    absent_days integer DEFAULT 0 NOT NULL,
    absent_date date,
    former_identities text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT contacts_attributes_check CHECK ((jsonb_typeof(attributes) = 'object'::text)),
    CONSTRAINT contacts_marketing_consent_check CHECK ((marketing_consent = ANY (ARRAY['UNKNOWN'::text, 'OPTED_IN'::text, 'OPTED_OUT'::text]))),
    CONSTRAINT contacts_phone_number_check CHECK ((phone_number ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT contacts_reachable_check CHECK (((phone_number IS NOT NULL) OR (whatsapp_user_id IS NOT NULL))),
    CONSTRAINT contacts_whatsapp_state_check CHECK ((whatsapp_state = ANY (ARRAY['UNKNOWN'::text, 'VERIFIED'::text, 'ABSENT'::text])))
);
ALTER TABLE ONLY public.contacts ALTER COLUMN attributes SET STATISTICS 0;
ALTER TABLE ONLY public.contacts ALTER COLUMN former_identities SET STATISTICS 0;

CREATE TABLE public.templates (
    id uuid DEFAULT uuidv7() NOT NULL,
    whatsapp_account_id text NOT NULL,
    whatsapp_template_id text NOT NULL,
    template_name text NOT NULL,
    language_code text NOT NULL,
    template_category text NOT NULL,
    state text NOT NULL,
    parameter_format text DEFAULT 'POSITIONAL'::text NOT NULL,
    components jsonb DEFAULT '[]'::jsonb NOT NULL,
    quality text DEFAULT 'UNKNOWN'::text NOT NULL,
    rejected_reason text DEFAULT ''::text NOT NULL,
    sync_time timestamp with time zone DEFAULT now() NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    update_time timestamp with time zone DEFAULT now() NOT NULL,
    outdated_time timestamp with time zone,
    CONSTRAINT templates_category_check CHECK ((template_category = ANY (ARRAY['MARKETING'::text, 'UTILITY'::text, 'AUTHENTICATION'::text]))),
    CONSTRAINT templates_components_check CHECK ((jsonb_typeof(components) = 'array'::text)),
    CONSTRAINT templates_parameter_format_check CHECK ((parameter_format = ANY (ARRAY['POSITIONAL'::text, 'NAMED'::text]))),
    CONSTRAINT templates_quality_check CHECK ((quality = ANY (ARRAY['UNKNOWN'::text, 'GREEN'::text, 'YELLOW'::text, 'RED'::text]))),
    CONSTRAINT templates_state_check CHECK ((state = ANY (ARRAY['APPROVED'::text, 'PENDING'::text, 'REJECTED'::text, 'PAUSED'::text, 'DISABLED'::text, 'DELETED'::text, 'OTHER'::text])))
);

CREATE VIEW public.campaign_recipients AS
 SELECT campaigns.id AS campaign_id,
    contacts.id AS contact_id,
    campaigns.sender_id,
    campaigns.template_id,
    to_jsonb(bound.parameters) AS parameters,
    bound.parameters AS parameter_values,
        CASE
            WHEN ((templates.template_category = 'MARKETING'::text) AND (contacts.marketing_consent = 'OPTED_OUT'::text)) THEN 'OPTED_OUT'::text
            WHEN (contacts.whatsapp_state = 'ABSENT'::text) THEN 'NO_WHATSAPP'::text
            WHEN (''::text = ANY (bound.parameters)) THEN 'MISSING_VARIABLE'::text
            ELSE ''::text
        END AS skip_reason,
    ((cardinality(campaigns.excluded_category_ids) > 0) AND (EXISTS ( SELECT 1
           FROM public.category_contacts
          WHERE ((category_contacts.contact_id = contacts.id) AND (category_contacts.category_id = ANY (campaigns.excluded_category_ids)))))) AS is_excluded
   FROM (((public.campaigns
     JOIN public.templates ON ((templates.id = campaigns.template_id)))
     CROSS JOIN public.contacts)
     CROSS JOIN LATERAL ( SELECT ARRAY( SELECT COALESCE(NULLIF(btrim(
                        CASE (binding.value ->> 'source'::text)
                            WHEN 'LITERAL'::text THEN (binding.value ->> 'value'::text)
                            WHEN 'ATTRIBUTE'::text THEN (contacts.attributes ->> (binding.value ->> 'value'::text))
                            WHEN 'FIELD'::text THEN
                            CASE (binding.value ->> 'value'::text)
                                WHEN 'display_name'::text THEN contacts.display_name
                                WHEN 'phone_number'::text THEN contacts.phone_number
                                WHEN 'language_code'::text THEN contacts.language_code
                                WHEN 'time_zone'::text THEN contacts.time_zone
                                WHEN 'whatsapp_user_id'::text THEN contacts.whatsapp_user_id
                                ELSE NULL::text
                            END
                            ELSE NULL::text
                        END), ''::text), (binding.value ->> 'default_value'::text), ''::text) AS "coalesce"
                   FROM jsonb_array_elements(campaigns.bindings) binding(value)) AS parameters
         OFFSET 0) bound);

CREATE TABLE public.categories (
    id uuid DEFAULT uuidv7() NOT NULL,
    display_name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    contact_count bigint DEFAULT 0 NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    update_time timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT categories_contact_count_check CHECK ((contact_count >= 0)),
    CONSTRAINT categories_display_name_check CHECK ((display_name <> ''::text))
);

CREATE TABLE public.consent_events (
    id uuid DEFAULT uuidv7() NOT NULL,
    contact_id uuid,
    person_hash bytea NOT NULL,
    consent text NOT NULL,
    source text NOT NULL,
    evidence text DEFAULT ''::text NOT NULL,
    event_time timestamp with time zone NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT consent_events_consent_check CHECK ((consent = ANY (ARRAY['OPTED_IN'::text, 'OPTED_OUT'::text])))
);
ALTER TABLE ONLY public.consent_events ALTER COLUMN evidence SET STATISTICS 0;

CREATE TABLE public.counters (
    scope_id uuid NOT NULL,
    state text NOT NULL,
    error_code integer NOT NULL,
    shard smallint NOT NULL,
    count bigint NOT NULL,
    reason text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000');

CREATE TABLE public.erased_people (
    trace bigint NOT NULL,
    erase_time timestamp with time zone NOT NULL
);

CREATE TABLE public.hour_counters (
    scope_id uuid NOT NULL,
    hour timestamp with time zone NOT NULL,
    milestone text NOT NULL,
    count bigint NOT NULL
);

CREATE TABLE public.idempotent_requests (
    api_key_id uuid NOT NULL,
    method text NOT NULL,
    request_id text NOT NULL,
    request_digest bytea NOT NULL,
    reply bytea,
    contact_id uuid,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    outdated text[] DEFAULT '{}'::text[] NOT NULL
);
ALTER TABLE ONLY public.idempotent_requests ALTER COLUMN reply SET STATISTICS 0;

CREATE TABLE public.interactions (
    id uuid DEFAULT uuidv7() NOT NULL,
    whatsapp_message_id text,
    sender_id uuid NOT NULL,
    contact_id uuid,
    campaign_id uuid,
    message_id uuid,
    kind text NOT NULL,
    text text DEFAULT ''::text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    interaction_time timestamp with time zone NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT interactions_kind_check CHECK ((kind = ANY (ARRAY['TEXT'::text, 'BUTTON'::text, 'REACTION'::text, 'MEDIA'::text, 'LOCATION'::text, 'CONTACTS'::text, 'ORDER'::text, 'OTHER'::text])))
);
ALTER TABLE ONLY public.interactions ALTER COLUMN text SET STATISTICS 0;
ALTER TABLE ONLY public.interactions ALTER COLUMN payload SET STATISTICS 0;

CREATE TABLE public.message_attempts (
    campaign_id uuid NOT NULL,
    message_id uuid NOT NULL,
    attempt integer NOT NULL,
    whatsapp_message_id text,
    supersede_time timestamp with time zone DEFAULT now() NOT NULL,
    accept_time timestamp with time zone,
    fail_time timestamp with time zone,
    undelivered_time timestamp with time zone
);

CREATE TABLE public.messages (
    campaign_id uuid NOT NULL,
    id uuid DEFAULT uuidv7() NOT NULL,
    contact_id uuid,
    sender_id uuid NOT NULL,
    template_id uuid,
    occurrence integer,
    attempt integer DEFAULT 0 NOT NULL,
    retry_count integer DEFAULT 0 NOT NULL,
    error_code integer DEFAULT 0 NOT NULL,
    state text DEFAULT 'PENDING'::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    error_title text DEFAULT ''::text NOT NULL,
    parameters jsonb,
    whatsapp_message_id text,
    not_before_time timestamp with time zone DEFAULT now() NOT NULL,
    lease_expire_time timestamp with time zone,
    doubt_time timestamp with time zone,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    accept_time timestamp with time zone,
    send_time timestamp with time zone,
    deliver_time timestamp with time zone,
    read_time timestamp with time zone,
    fail_time timestamp with time zone,
    failed_attempt integer DEFAULT 0 NOT NULL,
    is_billable boolean,
    price_category text,
    CONSTRAINT messages_doubt_check CHECK (((state <> 'UNCONFIRMED'::text) OR (doubt_time IS NOT NULL))),
    CONSTRAINT messages_lease_check CHECK (((state <> 'SENDING'::text) OR (lease_expire_time IS NOT NULL))),
    CONSTRAINT messages_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'SENDING'::text, 'ACCEPTED'::text, 'HELD'::text, 'SENT'::text, 'DELIVERED'::text, 'READ'::text, 'FAILED'::text, 'SKIPPED'::text, 'CANCELLED'::text, 'UNCONFIRMED'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.05', autovacuum_analyze_scale_factor='0.02');
ALTER TABLE ONLY public.messages ALTER COLUMN parameters SET STATISTICS 0;

CREATE TABLE public.minute_counters (
    scope_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    milestone text NOT NULL,
    shard smallint NOT NULL,
    count bigint NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000');

CREATE TABLE public.parked_receipts (
    id uuid DEFAULT uuidv7() NOT NULL,
    delivery_id uuid NOT NULL,
    receipt jsonb NOT NULL,
    try_count integer DEFAULT 0 NOT NULL,
    not_before_time timestamp with time zone NOT NULL,
    expire_time timestamp with time zone NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    traces bigint[] DEFAULT '{}'::bigint[] NOT NULL
);
ALTER TABLE ONLY public.parked_receipts ALTER COLUMN receipt SET STATISTICS 0;

CREATE TABLE public.pumps (
    sender_id uuid NOT NULL,
    slot integer DEFAULT 0 NOT NULL,
    holder text DEFAULT ''::text NOT NULL,
    lease_expire_time timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    release_time timestamp with time zone,
    left_seconds real[] DEFAULT '{}'::real[] NOT NULL,
    silent_end_time timestamp with time zone
);

CREATE TABLE public.recounts (
    scope_id uuid NOT NULL,
    recount_time timestamp with time zone NOT NULL,
    difference_count bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.replied_messages (
    campaign_id uuid NOT NULL,
    message_id uuid NOT NULL
);

CREATE TABLE public.reply_counters (
    scope_id uuid NOT NULL,
    shard smallint NOT NULL,
    count bigint NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000');

CREATE TABLE public.restricted_countries (
    whatsapp_account_id text NOT NULL,
    country_code text NOT NULL,
    restrict_time timestamp with time zone NOT NULL,
    CONSTRAINT restricted_countries_country_code_check CHECK ((country_code ~ '^[A-Z]{2}$'::text))
);

CREATE TABLE public.retries (
    id uuid DEFAULT uuidv7() NOT NULL,
    campaign_id uuid NOT NULL,
    error_codes integer[] NOT NULL,
    after_message_id uuid NOT NULL
);

CREATE TABLE public.senders (
    id uuid DEFAULT uuidv7() NOT NULL,
    display_name text DEFAULT ''::text NOT NULL,
    phone_number_id text NOT NULL,
    whatsapp_account_id text NOT NULL,
    phone_number text DEFAULT ''::text NOT NULL,
    verified_name text DEFAULT ''::text NOT NULL,
    credential_reference text DEFAULT 'CHAPPE_WHATSAPP_ACCESS_TOKEN'::text NOT NULL,
    state text DEFAULT 'ACTIVE'::text NOT NULL,
    pause_reason text DEFAULT ''::text NOT NULL,
    quality text DEFAULT 'UNKNOWN'::text NOT NULL,
    throughput_level text DEFAULT 'STANDARD'::text NOT NULL,
    messaging_limit text DEFAULT ''::text NOT NULL,
    messages_per_second double precision DEFAULT 80 NOT NULL,
    refresh_time timestamp with time zone,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    update_time timestamp with time zone DEFAULT now() NOT NULL,
    chosen_messages_per_second double precision,
    CONSTRAINT senders_messages_per_second_check CHECK (((messages_per_second > (0)::double precision) AND (messages_per_second <= (1000)::double precision))),
    CONSTRAINT senders_quality_check CHECK ((quality = ANY (ARRAY['UNKNOWN'::text, 'GREEN'::text, 'YELLOW'::text, 'RED'::text]))),
    CONSTRAINT senders_state_check CHECK ((state = ANY (ARRAY['ACTIVE'::text, 'PAUSED'::text]))),
    CONSTRAINT senders_throughput_level_check CHECK ((throughput_level = ANY (ARRAY['STANDARD'::text, 'HIGH'::text, 'NOT_APPLICABLE'::text])))
);

CREATE TABLE public.service_windows (
    contact_id uuid NOT NULL,
    sender_id uuid NOT NULL,
    expire_time timestamp with time zone NOT NULL
);

CREATE TABLE public.webhook_deliveries (
    id uuid DEFAULT uuidv7() NOT NULL,
    body bytea NOT NULL,
    receive_time timestamp with time zone DEFAULT now() NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    apply_time timestamp with time zone,
    error text DEFAULT ''::text NOT NULL,
    traces bigint[],
    unknown jsonb DEFAULT '{}'::jsonb NOT NULL,
    is_urgent boolean DEFAULT false NOT NULL,
    replay_time timestamp with time zone,
    retry_time timestamp with time zone
);
ALTER TABLE ONLY public.webhook_deliveries ALTER COLUMN body SET STATISTICS 0;

CREATE TABLE public.webhook_heartbeats (
    beat_time timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.account_events
    ADD CONSTRAINT account_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.announcements
    ADD CONSTRAINT announcements_pkey PRIMARY KEY (whatsapp_account_id, digits);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.categories
    ADD CONSTRAINT categories_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.category_contacts
    ADD CONSTRAINT category_contacts_pkey PRIMARY KEY (category_id, contact_id);

ALTER TABLE ONLY public.consent_events
    ADD CONSTRAINT consent_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_phone_number_key UNIQUE (phone_number);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_whatsapp_user_id_key UNIQUE (whatsapp_user_id);

ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (scope_id, state, error_code, reason, shard);

ALTER TABLE ONLY public.erased_people
    ADD CONSTRAINT erased_people_pkey PRIMARY KEY (trace);

ALTER TABLE ONLY public.hour_counters
    ADD CONSTRAINT hour_counters_pkey PRIMARY KEY (scope_id, hour, milestone);

ALTER TABLE ONLY public.idempotent_requests
    ADD CONSTRAINT idempotent_requests_pkey PRIMARY KEY (api_key_id, method, request_id);

ALTER TABLE ONLY public.interactions
    ADD CONSTRAINT interactions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.interactions
    ADD CONSTRAINT interactions_whatsapp_message_id_key UNIQUE (whatsapp_message_id);

ALTER TABLE ONLY public.message_attempts
    ADD CONSTRAINT message_attempts_pkey PRIMARY KEY (campaign_id, message_id, attempt);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (campaign_id, id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_recipient_key UNIQUE (campaign_id, contact_id, occurrence);

ALTER TABLE ONLY public.minute_counters
    ADD CONSTRAINT minute_counters_pkey PRIMARY KEY (scope_id, minute, milestone, shard);

ALTER TABLE ONLY public.parked_receipts
    ADD CONSTRAINT parked_receipts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pumps
    ADD CONSTRAINT pumps_pkey PRIMARY KEY (sender_id, slot);

ALTER TABLE ONLY public.recounts
    ADD CONSTRAINT recounts_pkey PRIMARY KEY (scope_id);

ALTER TABLE ONLY public.replied_messages
    ADD CONSTRAINT replied_messages_pkey PRIMARY KEY (campaign_id, message_id);

ALTER TABLE ONLY public.reply_counters
    ADD CONSTRAINT reply_counters_pkey PRIMARY KEY (scope_id, shard);

ALTER TABLE ONLY public.restricted_countries
    ADD CONSTRAINT restricted_countries_pkey PRIMARY KEY (whatsapp_account_id, country_code);

ALTER TABLE ONLY public.retries
    ADD CONSTRAINT retries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.senders
    ADD CONSTRAINT senders_phone_number_id_key UNIQUE (phone_number_id);

ALTER TABLE ONLY public.senders
    ADD CONSTRAINT senders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.service_windows
    ADD CONSTRAINT service_windows_pkey PRIMARY KEY (contact_id, sender_id);

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_identity_key UNIQUE (whatsapp_account_id, template_name, language_code);

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_heartbeats
    ADD CONSTRAINT webhook_heartbeats_pkey PRIMARY KEY (beat_time);

CREATE UNIQUE INDEX account_events_told_idx ON public.account_events USING btree (whatsapp_account_id, topic, event_time, md5((value)::text));

CREATE INDEX audit_events_resource_name_idx ON public.audit_events USING btree (resource_name, id);

CREATE INDEX campaigns_active_idx ON public.campaigns USING btree (sender_id, id) WHERE (state = ANY (ARRAY['RUNNING'::text, 'PAUSED'::text]));

CREATE INDEX campaigns_active_list_idx ON public.campaigns USING btree (id NULLS FIRST) WHERE ((kind = 'BULK'::text) AND (state = ANY (ARRAY['RUNNING'::text, 'PAUSED'::text])));

CREATE UNIQUE INDEX campaigns_direct_key ON public.campaigns USING btree (sender_id) WHERE (kind = 'DIRECT'::text);

CREATE INDEX campaigns_due_idx ON public.campaigns USING btree (schedule_time) WHERE (state = 'SCHEDULED'::text);

CREATE INDEX campaigns_ended_idx ON public.campaigns USING btree (COALESCE(complete_time, cancel_time, update_time), id) WHERE ((kind = 'BULK'::text) AND (state = ANY (ARRAY['COMPLETED'::text, 'CANCELLED'::text, 'FAILED'::text])));

CREATE INDEX campaigns_list_idx ON public.campaigns USING btree (id) WHERE (kind = 'BULK'::text);

CREATE INDEX campaigns_state_idx ON public.campaigns USING btree (state, id) WHERE (kind = 'BULK'::text);

CREATE INDEX campaigns_template_id_idx ON public.campaigns USING btree (template_id);

CREATE UNIQUE INDEX categories_display_name_key ON public.categories USING btree (lower(display_name));

CREATE INDEX category_contacts_contact_id_idx ON public.category_contacts USING btree (contact_id, category_id);

CREATE INDEX consent_events_contact_id_idx ON public.consent_events USING btree (contact_id, id);

CREATE INDEX consent_events_person_hash_idx ON public.consent_events USING btree (person_hash, event_time DESC, id DESC);

CREATE INDEX contacts_display_name_list_idx ON public.contacts USING btree (lower(display_name) COLLATE "C", id);

CREATE INDEX contacts_phone_number_list_idx ON public.contacts USING btree (phone_number COLLATE "C");

CREATE INDEX contacts_states_list_idx ON public.contacts USING btree (marketing_consent, whatsapp_state, id NULLS FIRST);

CREATE INDEX counters_unfolded_idx ON public.counters USING btree (scope_id) WHERE (shard >= 0);

CREATE INDEX erased_people_erase_time_idx ON public.erased_people USING btree (erase_time);

CREATE INDEX idempotent_requests_contact_id_idx ON public.idempotent_requests USING btree (contact_id) WHERE (contact_id IS NOT NULL);

CREATE INDEX idempotent_requests_create_time_idx ON public.idempotent_requests USING btree (create_time);

CREATE INDEX interactions_campaign_id_kind_idx ON public.interactions USING btree (campaign_id, kind, interaction_time NULLS FIRST, id NULLS FIRST) WHERE (campaign_id IS NOT NULL);

CREATE INDEX interactions_campaign_id_time_idx ON public.interactions USING btree (campaign_id, interaction_time, id) WHERE (campaign_id IS NOT NULL);

CREATE INDEX interactions_contact_id_idx ON public.interactions USING btree (contact_id, id);

CREATE INDEX interactions_kind_list_idx ON public.interactions USING btree (kind, id NULLS FIRST);

CREATE INDEX interactions_message_id_idx ON public.interactions USING btree (message_id) WHERE (message_id IS NOT NULL);

CREATE INDEX message_attempts_doubled_idx ON public.message_attempts USING btree (campaign_id, message_id) WHERE (accept_time IS NOT NULL);

CREATE INDEX message_attempts_whatsapp_message_id_idx ON public.message_attempts USING btree (whatsapp_message_id) WHERE (whatsapp_message_id IS NOT NULL);

CREATE INDEX messages_campaign_id_state_idx ON public.messages USING btree (campaign_id, state, id);

CREATE INDEX messages_claim_idx ON public.messages USING btree (campaign_id, not_before_time, id) WHERE (state = 'PENDING'::text);

CREATE INDEX messages_contact_id_idx ON public.messages USING btree (contact_id, id);

CREATE INDEX messages_doubt_idx ON public.messages USING btree (doubt_time) WHERE (state = 'UNCONFIRMED'::text);

CREATE INDEX messages_lease_idx ON public.messages USING btree (lease_expire_time) WHERE (state = 'SENDING'::text);

CREATE INDEX messages_send_time_idx ON public.messages USING btree (send_time) WHERE (send_time IS NOT NULL);

CREATE INDEX messages_skipped_idx ON public.messages USING btree (campaign_id, reason) WHERE (state = 'SKIPPED'::text);

CREATE INDEX messages_unheard_idx ON public.messages USING btree (sender_id, accept_time) WHERE (state = 'ACCEPTED'::text);

CREATE INDEX messages_whatsapp_message_id_idx ON public.messages USING btree (whatsapp_message_id) WHERE (whatsapp_message_id IS NOT NULL);

CREATE INDEX minute_counters_minute_idx ON public.minute_counters USING btree (minute);

CREATE INDEX parked_receipts_due_idx ON public.parked_receipts USING btree (not_before_time);

CREATE INDEX recounts_differing_idx ON public.recounts USING btree (scope_id) WHERE (difference_count > 0);

CREATE INDEX reply_counters_unfolded_idx ON public.reply_counters USING btree (scope_id) WHERE (shard >= 0);

CREATE INDEX retries_campaign_id_idx ON public.retries USING btree (campaign_id);

CREATE INDEX senders_whatsapp_account_id_idx ON public.senders USING btree (whatsapp_account_id);

CREATE INDEX service_windows_sender_id_idx ON public.service_windows USING btree (sender_id);

CREATE INDEX templates_outdated_idx ON public.templates USING btree (whatsapp_account_id) WHERE (outdated_time IS NOT NULL);

CREATE INDEX templates_state_idx ON public.templates USING btree (state, id);

CREATE INDEX templates_whatsapp_template_id_idx ON public.templates USING btree (whatsapp_template_id);

CREATE INDEX webhook_deliveries_aside_idx ON public.webhook_deliveries USING btree (receive_time) WHERE ((retry_time IS NOT NULL) AND (error <> ''::text) AND (apply_time IS NOT NULL));

CREATE INDEX webhook_deliveries_retry_idx ON public.webhook_deliveries USING btree (retry_time) WHERE ((apply_time IS NULL) AND (retry_time IS NOT NULL));

CREATE INDEX webhook_deliveries_strange_idx ON public.webhook_deliveries USING btree (id) WHERE ((error <> ''::text) OR (unknown <> '{}'::jsonb));

CREATE INDEX webhook_deliveries_traces_idx ON public.webhook_deliveries USING gin (traces);

CREATE INDEX webhook_deliveries_unapplied_idx ON public.webhook_deliveries USING btree (id) WHERE (apply_time IS NULL);

CREATE INDEX webhook_deliveries_untraced_idx ON public.webhook_deliveries USING btree (id) WHERE ((apply_time IS NOT NULL) AND (traces IS NULL));

CREATE INDEX webhook_deliveries_urgent_idx ON public.webhook_deliveries USING btree (id) WHERE ((apply_time IS NULL) AND is_urgent);

CREATE TRIGGER category_contacts_count_delete AFTER DELETE ON public.category_contacts REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_category_contacts();

CREATE TRIGGER category_contacts_count_insert AFTER INSERT ON public.category_contacts REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_category_contacts();

CREATE TRIGGER contacts_keep_former_identities BEFORE UPDATE OF phone_number, whatsapp_user_id ON public.contacts FOR EACH ROW WHEN (((old.phone_number <> COALESCE(new.phone_number, ''::text)) OR (old.whatsapp_user_id <> COALESCE(new.whatsapp_user_id, ''::text)))) EXECUTE FUNCTION public.keep_former_identities();

CREATE TRIGGER interactions_count_insert AFTER INSERT ON public.interactions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_replied_messages();

CREATE TRIGGER messages_count_insert AFTER INSERT ON public.messages REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_inserted_messages();

CREATE TRIGGER messages_count_update AFTER UPDATE ON public.messages REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_updated_messages();

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES public.senders(id);

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.templates(id);

ALTER TABLE ONLY public.category_contacts
    ADD CONSTRAINT category_contacts_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.categories(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.category_contacts
    ADD CONSTRAINT category_contacts_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent_events
    ADD CONSTRAINT consent_events_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.interactions
    ADD CONSTRAINT interactions_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.interactions
    ADD CONSTRAINT interactions_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES public.senders(id);

ALTER TABLE ONLY public.message_attempts
    ADD CONSTRAINT message_attempts_message_fkey FOREIGN KEY (campaign_id, message_id) REFERENCES public.messages(campaign_id, id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id);

ALTER TABLE ONLY public.pumps
    ADD CONSTRAINT pumps_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES public.senders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.retries
    ADD CONSTRAINT retries_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaigns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.service_windows
    ADD CONSTRAINT service_windows_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.service_windows
    ADD CONSTRAINT service_windows_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES public.senders(id) ON DELETE CASCADE;
