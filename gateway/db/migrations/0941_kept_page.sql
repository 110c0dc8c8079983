-- Refused forms, for a quarter of an hour: only the browser whose address has the secret can read one.

CREATE TABLE kept_page (
    mark    text PRIMARY KEY,                          -- hash of the secret in the address
    status  integer NOT NULL,
    body    bytea NOT NULL,                            -- encrypted with that secret
    kept_at timestamptz NOT NULL
);
CREATE INDEX kept_page_age ON kept_page (kept_at);
