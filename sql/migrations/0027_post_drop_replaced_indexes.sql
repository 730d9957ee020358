-- migrate:up
DROP INDEX interactions_kind_idx;
DROP INDEX contacts_whatsapp_state_idx;
DROP INDEX contacts_marketing_consent_idx;
DROP INDEX contacts_phone_number_prefix_idx;
DROP INDEX contacts_display_name_prefix_idx;

-- migrate:down
CREATE INDEX interactions_kind_idx ON interactions (kind, id);
CREATE INDEX contacts_display_name_prefix_idx ON contacts (lower(display_name) text_pattern_ops, id);
CREATE INDEX contacts_phone_number_prefix_idx ON contacts (phone_number text_pattern_ops);
CREATE INDEX contacts_marketing_consent_idx ON contacts (marketing_consent, id) WHERE marketing_consent <> 'UNKNOWN';
CREATE INDEX contacts_whatsapp_state_idx ON contacts (whatsapp_state, id) WHERE whatsapp_state <> 'UNKNOWN';
