-- migrate:up

-- The countries to which WhatsApp lets an account send nothing (error 130497), and when it last said so.
CREATE TABLE restricted_countries (
    whatsapp_account_id text NOT NULL,
    country_code text NOT NULL,
    restrict_time timestamptz NOT NULL,
    CONSTRAINT restricted_countries_pkey PRIMARY KEY (whatsapp_account_id, country_code),
    CONSTRAINT restricted_countries_country_code_check CHECK (country_code ~ '^[A-Z]{2}$')
);

-- migrate:down
DROP TABLE restricted_countries;
