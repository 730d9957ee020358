-- migrate:up

-- WhatsApp writes mobiles of Brazil without their ninth digit, and those of Mexico with a 1: who wrote first was kept so. Where
-- both are contacts, both stay.
WITH written AS (
    SELECT id, regexp_replace(
        regexp_replace(phone_number, '^\+(55[1-9][0-9])([6-9][0-9]{7})$', '+\19\2'), '^\+521([0-9]{10})$', '+52\1'
    ) AS settled
    FROM contacts
    WHERE phone_number ~ '^\+(55[1-9][0-9][6-9][0-9]{7}|521[0-9]{10})$'
)
UPDATE contacts
SET phone_number = written.settled
FROM written
WHERE contacts.id = written.id
    AND NOT EXISTS (SELECT FROM contacts AS other WHERE other.phone_number = written.settled);

-- migrate:down
SELECT 1;
