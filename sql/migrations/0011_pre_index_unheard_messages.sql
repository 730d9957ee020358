-- migrate:up

-- Messages WhatsApp took and has said nothing of since: how many there are tells what its silence about another means.
CREATE INDEX messages_unheard_idx ON messages (sender_id, accept_time) WHERE state = 'ACCEPTED';

-- migrate:down
DROP INDEX messages_unheard_idx;
