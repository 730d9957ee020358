-- migrate:up

-- A kind that hardly occurs is found without reading all that people ever did.
CREATE INDEX interactions_kind_idx ON interactions (kind, id);

-- migrate:down
DROP INDEX interactions_kind_idx;
