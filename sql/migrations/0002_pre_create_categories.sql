-- migrate:up

-- The user's label on contacts, used to choose an audience.
CREATE TABLE categories (
    id uuid NOT NULL DEFAULT uuidv7(),
    display_name text NOT NULL,
    description text NOT NULL DEFAULT '',
    contact_count bigint NOT NULL DEFAULT 0,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT categories_pkey PRIMARY KEY (id),
    CONSTRAINT categories_display_name_check CHECK (display_name <> ''),
    CONSTRAINT categories_contact_count_check CHECK (contact_count >= 0)
);

-- 'Customers' and 'customers' are one category to a person.
CREATE UNIQUE INDEX categories_display_name_key ON categories (lower(display_name));

CREATE TABLE category_contacts (
    category_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT category_contacts_pkey PRIMARY KEY (category_id, contact_id),
    CONSTRAINT category_contacts_category_id_fkey FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE CASCADE,
    CONSTRAINT category_contacts_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contacts (id) ON DELETE CASCADE
);

CREATE INDEX category_contacts_contact_id_idx ON category_contacts (contact_id, category_id);

-- Keeps categories.contact_count exact: one update per statement, categories taken in key order so that two
-- statements never wait for each other in a ring.
CREATE FUNCTION count_category_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER category_contacts_count_insert AFTER INSERT ON category_contacts
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_category_contacts();
CREATE TRIGGER category_contacts_count_delete AFTER DELETE ON category_contacts
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_category_contacts();

-- migrate:down
DROP TABLE category_contacts;
DROP FUNCTION count_category_contacts();
DROP TABLE categories;
