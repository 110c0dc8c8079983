-- Phone values in which no number was found: told to a person, gone when the entity is read with better ones.
CREATE TABLE directory_numberless (
    account_id text NOT NULL,
    kind       text NOT NULL,
    entity_id  text NOT NULL,
    value      text NOT NULL,                  -- as the CRM stores it, its first 256 characters
    seen_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, kind, entity_id, value)
);
