-- migrate:up

-- By what a contact was known before it changed its number or id: bodies of then still tell of it, and are searched for it when
-- the person is erased.
ALTER TABLE contacts ADD COLUMN former_identities text[] NOT NULL DEFAULT '{}';
ALTER TABLE contacts ALTER COLUMN former_identities SET STATISTICS 0;

CREATE FUNCTION keep_former_identities() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.phone_number <> coalesce(NEW.phone_number, '') THEN
        NEW.former_identities = array_append(NEW.former_identities, OLD.phone_number);
    END IF;
    IF OLD.whatsapp_user_id <> coalesce(NEW.whatsapp_user_id, '') THEN
        NEW.former_identities = array_append(NEW.former_identities, OLD.whatsapp_user_id);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER contacts_keep_former_identities
BEFORE UPDATE OF phone_number, whatsapp_user_id ON contacts
FOR EACH ROW
WHEN (OLD.phone_number <> coalesce(NEW.phone_number, '') OR OLD.whatsapp_user_id <> coalesce(NEW.whatsapp_user_id, ''))
EXECUTE FUNCTION keep_former_identities();

-- migrate:down
DROP TRIGGER contacts_keep_former_identities ON contacts;
DROP FUNCTION keep_former_identities();
ALTER TABLE contacts DROP COLUMN former_identities;
