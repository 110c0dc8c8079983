-- What was said between us and vendors: secrets removed, numbers masked, cleaned after CALLMATRIX_EXCHANGE_DAYS.

CREATE TABLE vendor_exchange (
    account_id  text NOT NULL,
    exchange_id bigint GENERATED ALWAYS AS IDENTITY,
    vendor      text NOT NULL,
    at          timestamptz NOT NULL,
    method      text NOT NULL,
    target      text NOT NULL,
    status      integer,                    -- null: no answer came
    took_ms     integer NOT NULL,
    lane        text NOT NULL,
    sent        text NOT NULL,
    received    text NOT NULL,
    error       text NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, exchange_id)
);
CREATE INDEX vendor_exchange_at ON vendor_exchange (at);

-- What a process that serves an account's CRM tells of itself, for the status page and `callmatrix check`.
CREATE TABLE worker_report (
    account_id text NOT NULL,
    report     text NOT NULL,               -- crm, jobs, ami:<connection>, …
    at         timestamptz NOT NULL,
    body       jsonb NOT NULL,
    PRIMARY KEY (account_id, report)
);
