-- Wrong passwords in a row, by login and by address, so that gateways that share the database share what they saw.
-- Logins stand here as their hash: people type passwords into that field too. Older processes write nothing here.

CREATE TABLE sign_in_try (
    kind         text NOT NULL,             -- login, address, or pair: a login at an address where it has signed in
    key          text NOT NULL,
    failures     integer NOT NULL DEFAULT 0,
    last_at      timestamptz NOT NULL DEFAULT now(),
    signed_in_at timestamptz,               -- of a pair
    PRIMARY KEY (kind, key)
);
CREATE INDEX sign_in_try_at ON sign_in_try (last_at);
