-- migrate:up

-- Each pair of states, also one that few contacts have, is listed in id order from here; one state alone is three pairs.
-- NULLS FIRST, and so ORDER BY id NULLS FIRST, is an order that no other index has: whatever the statistics say of the
-- states, the primary key is not walked instead, past all that are in others.
CREATE INDEX contacts_states_list_idx ON contacts (marketing_consent, whatsapp_state, id NULLS FIRST);

-- What begins with a text is listed in the order of the text; "C" because no other order keeps a prefix together.
CREATE INDEX contacts_phone_number_list_idx ON contacts (phone_number COLLATE "C");
CREATE INDEX contacts_display_name_list_idx ON contacts (lower(display_name) COLLATE "C", id);

-- A kind that hardly occurs, in a campaign or anywhere; NULLS FIRST for the same reason.
CREATE INDEX interactions_campaign_id_kind_idx ON interactions
    (campaign_id, kind, interaction_time NULLS FIRST, id NULLS FIRST) WHERE campaign_id IS NOT NULL;
CREATE INDEX interactions_kind_list_idx ON interactions (kind, id NULLS FIRST);

-- migrate:down
DROP INDEX interactions_kind_list_idx;
DROP INDEX interactions_campaign_id_kind_idx;
DROP INDEX contacts_display_name_list_idx;
DROP INDEX contacts_phone_number_list_idx;
DROP INDEX contacts_states_list_idx;
