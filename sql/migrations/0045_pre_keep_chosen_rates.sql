-- migrate:up

-- How many messages a second a person chose for a sender, at most; NULL: as many as WhatsApp's level allows. Rates chosen before
-- this was kept are found when WhatsApp is asked next: they differ from the level's own.
ALTER TABLE senders ADD COLUMN chosen_messages_per_second double precision;

-- migrate:down
ALTER TABLE senders DROP COLUMN chosen_messages_per_second;
