-- How far each connection's call log has been compared with our journal, and what came of it.
CREATE TABLE pbx_reconciliation (
    account_id    text NOT NULL,
    connection_id text NOT NULL,
    read_until    timestamptz,                 -- calls that began earlier have been compared
    compared      bigint NOT NULL DEFAULT 0,   -- totals since the connection was first asked
    missing       bigint NOT NULL DEFAULT 0,
    imported      bigint NOT NULL DEFAULT 0,
    refused       bigint NOT NULL DEFAULT 0,
    missing_at    timestamptz,                 -- the latest sweep that found a call we did not know
    last_success  timestamptz,
    failures      integer NOT NULL DEFAULT 0,  -- sweeps in a row that failed
    failing_since timestamptz,
    last_error    text,
    PRIMARY KEY (account_id, connection_id),
    FOREIGN KEY (account_id, connection_id) REFERENCES connection ON DELETE CASCADE
);
