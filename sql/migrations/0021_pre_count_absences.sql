-- migrate:up

-- On how many days WhatsApp said that it cannot reach a contact, since it last did, and the last of these days: one refusal
-- has causes that heal, such as an old app, so only days apart make a contact absent. Who is absent already stays so.
ALTER TABLE contacts
    ADD COLUMN absent_days integer NOT NULL DEFAULT 0,
    ADD COLUMN absent_date date;

-- migrate:down
ALTER TABLE contacts
    DROP COLUMN absent_date,
    DROP COLUMN absent_days;
