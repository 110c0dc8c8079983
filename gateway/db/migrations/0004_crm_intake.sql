-- What the CRM tells us, kept until a worker has applied it; and authorisations that somebody has begun to grant.

CREATE TABLE crm_webhook (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    webhook_id  bigint GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL DEFAULT now(),
    body        bytea NOT NULL,
    PRIMARY KEY (account_id, webhook_id)
);

CREATE TABLE crm_webhook_seen (
    account_id   text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    last_at      timestamptz,
    applied      bigint NOT NULL DEFAULT 0,
    refused      bigint NOT NULL DEFAULT 0,
    last_refusal text
);

CREATE TABLE oauth_state (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    state         text NOT NULL UNIQUE,
    client_id     text NOT NULL,
    client_secret text NOT NULL,
    redirect_uri  text NOT NULL,
    expires_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, state)
);
