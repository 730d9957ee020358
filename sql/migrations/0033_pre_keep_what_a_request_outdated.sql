-- migrate:up

-- What a request changed of that kept replies are made of, where only it knew: who repeats it is told of it as well.
ALTER TABLE idempotent_requests ADD COLUMN outdated text[] NOT NULL DEFAULT '{}';

-- migrate:down
ALTER TABLE idempotent_requests DROP COLUMN outdated;
