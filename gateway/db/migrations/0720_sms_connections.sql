-- SMS providers of an account.

CREATE TABLE sms_connection (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    name          text NOT NULL,
    kind          text NOT NULL,
    keys          jsonb NOT NULL DEFAULT '{}',         -- sealed
    settings      jsonb NOT NULL DEFAULT '{}',
    sender        text,                                -- NULL: the provider's own
    report_secret text NOT NULL,                       -- sealed; stands in the address of reports
    is_on         boolean NOT NULL DEFAULT true,
    stop_reason   text,                                -- sms.reasons.SmsReason of the class "account"; NULL: it sends
    stop_words    text NOT NULL DEFAULT '',            -- what the provider said
    stopped_at    timestamptz,
    try_at        timestamptz,                         -- of a stopped one: when it is tried again
    next_at       timestamptz,                         -- no request before, whichever worker it is of
    balance       numeric,
    currency      text NOT NULL DEFAULT '',
    balance_at    timestamptz,                         -- when it was asked for
    balance_error text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, name)
);
