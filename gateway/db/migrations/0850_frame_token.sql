-- What opens one narrow page of ours within the CRM, for some minutes and in one person's name. Older processes open none.
CREATE TABLE frame_token (
    secret_hash text NOT NULL UNIQUE,                                   -- sha256 of what stands in the address
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    login       text NOT NULL REFERENCES admin_user ON DELETE CASCADE,  -- whose rights it has, as they are when it is used
    page        text NOT NULL CHECK (page IN ('card', 'settings', 'template')),
    kind        text,                                                   -- of a card: contact, company, deal or lead
    entity_id   text,                                                   -- of a card: of the CRM; of a template: its name, null = a new one
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,                                            -- null: nothing that can be done once was done with it
    PRIMARY KEY (account_id, secret_hash)
);
CREATE INDEX frame_token_login ON frame_token (login);
