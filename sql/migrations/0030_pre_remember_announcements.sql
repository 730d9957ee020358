-- migrate:up

-- The last thing WhatsApp announced of an account, or of one of its numbers by its digits (empty: the account itself): what
-- happened before, and is told after it, changes nothing any more.
CREATE TABLE announcements (
    whatsapp_account_id text NOT NULL,
    digits text NOT NULL,
    is_blocked boolean NOT NULL,
    event_time timestamptz NOT NULL,
    CONSTRAINT announcements_pkey PRIMARY KEY (whatsapp_account_id, digits)
);

-- migrate:down
DROP TABLE announcements;
