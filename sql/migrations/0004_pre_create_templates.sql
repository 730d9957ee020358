-- migrate:up

-- WhatsApp's approved message forms, as last synced. template_name and language_code identify one within an account.
CREATE TABLE templates (
    id uuid NOT NULL DEFAULT uuidv7(),
    whatsapp_account_id text NOT NULL,
    whatsapp_template_id text NOT NULL,
    template_name text NOT NULL,
    language_code text NOT NULL,
    template_category text NOT NULL,
    state text NOT NULL,
    parameter_format text NOT NULL DEFAULT 'POSITIONAL',
    components jsonb NOT NULL DEFAULT '[]',
    quality text NOT NULL DEFAULT 'UNKNOWN',
    rejected_reason text NOT NULL DEFAULT '',
    sync_time timestamptz NOT NULL DEFAULT now(),
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT templates_pkey PRIMARY KEY (id),
    CONSTRAINT templates_identity_key UNIQUE (whatsapp_account_id, template_name, language_code),
    CONSTRAINT templates_category_check CHECK (template_category IN ('MARKETING', 'UTILITY', 'AUTHENTICATION')),
    CONSTRAINT templates_state_check CHECK (state IN ('APPROVED', 'PENDING', 'REJECTED', 'PAUSED', 'DISABLED', 'DELETED', 'OTHER')),
    CONSTRAINT templates_parameter_format_check CHECK (parameter_format IN ('POSITIONAL', 'NAMED')),
    CONSTRAINT templates_quality_check CHECK (quality IN ('UNKNOWN', 'GREEN', 'YELLOW', 'RED')),
    CONSTRAINT templates_components_check CHECK (jsonb_typeof(components) = 'array')
);

CREATE INDEX templates_whatsapp_template_id_idx ON templates (whatsapp_template_id);
CREATE INDEX templates_state_idx ON templates (state, id);

-- migrate:down
DROP TABLE templates;
