-- migrate:up

-- A person reachable on WhatsApp: by phone number, by WhatsApp's own user id, or both.
CREATE TABLE contacts (
    id uuid NOT NULL DEFAULT uuidv7(),
    phone_number text,
    whatsapp_user_id text,
    display_name text NOT NULL DEFAULT '',
    language_code text NOT NULL DEFAULT '',
    time_zone text NOT NULL DEFAULT '',
    attributes jsonb NOT NULL DEFAULT '{}',
    whatsapp_state text NOT NULL DEFAULT 'UNKNOWN',
    marketing_consent text NOT NULL DEFAULT 'UNKNOWN',
    consent_time timestamptz,
    consent_source text NOT NULL DEFAULT '',
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contacts_pkey PRIMARY KEY (id),
    CONSTRAINT contacts_phone_number_key UNIQUE (phone_number),
    CONSTRAINT contacts_whatsapp_user_id_key UNIQUE (whatsapp_user_id),
    CONSTRAINT contacts_reachable_check CHECK (phone_number IS NOT NULL OR whatsapp_user_id IS NOT NULL),
    CONSTRAINT contacts_phone_number_check CHECK (phone_number ~ '^\+[1-9][0-9]{6,14}$'),
    CONSTRAINT contacts_attributes_check CHECK (jsonb_typeof(attributes) = 'object'),
    CONSTRAINT contacts_whatsapp_state_check CHECK (whatsapp_state IN ('UNKNOWN', 'VERIFIED', 'ABSENT')),
    CONSTRAINT contacts_marketing_consent_check CHECK (marketing_consent IN ('UNKNOWN', 'OPTED_IN', 'OPTED_OUT'))
);

-- Most contacts are UNKNOWN or VERIFIED; the filter worth an index is each of the others and VERIFIED by id.
CREATE INDEX contacts_whatsapp_state_idx ON contacts (whatsapp_state, id) WHERE whatsapp_state <> 'UNKNOWN';
CREATE INDEX contacts_marketing_consent_idx ON contacts (marketing_consent, id) WHERE marketing_consent <> 'UNKNOWN';
CREATE INDEX contacts_phone_number_prefix_idx ON contacts (phone_number text_pattern_ops);
CREATE INDEX contacts_display_name_prefix_idx ON contacts (lower(display_name) text_pattern_ops, id);

-- Append-only proof of each opt-in and opt-out. Erasing a contact empties contact_id and evidence; person_hash (a keyed
-- hash of the phone number or WhatsApp user id) stays, so that importing the person again keeps the opt-out.
CREATE TABLE consent_events (
    id uuid NOT NULL DEFAULT uuidv7(),
    contact_id uuid,
    person_hash bytea NOT NULL,
    consent text NOT NULL,
    source text NOT NULL,
    evidence text NOT NULL DEFAULT '',
    event_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consent_events_pkey PRIMARY KEY (id),
    CONSTRAINT consent_events_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE SET NULL,
    CONSTRAINT consent_events_consent_check CHECK (consent IN ('OPTED_IN', 'OPTED_OUT'))
);

CREATE INDEX consent_events_person_hash_idx ON consent_events (person_hash, event_time DESC, id DESC);
CREATE INDEX consent_events_contact_id_idx ON consent_events (contact_id, id);

-- migrate:down
DROP TABLE consent_events;
DROP TABLE contacts;
