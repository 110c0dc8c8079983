-- Single requests that the process which works for an account lends to whoever tries a key of it. asked: nobody has heard of it yet. seen: it waits
-- for its turn. lent: it may be sent. lost: it was sent and nobody waits for its answer any more. refused: not for so long. A row that is
-- gone was given back.
CREATE TABLE crm_loan (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    loan_id       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    state         text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'seen', 'lent', 'lost', 'refused')),
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    lent_at       timestamptz,
    closed_seconds double precision,
    PRIMARY KEY (account_id, loan_id)
);
