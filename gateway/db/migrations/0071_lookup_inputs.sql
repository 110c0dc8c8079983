-- The rules by which lookups were answered, once each: a stored lookup names them and can be computed again.

CREATE TABLE lookup_rules (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    digest     text NOT NULL,
    numbers    jsonb NOT NULL,              -- routing.policy.NumberPolicy
    lookup     jsonb NOT NULL,              -- routing.policy.LookupPolicy
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, digest)
);
