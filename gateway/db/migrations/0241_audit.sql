-- Who changed what, written in the transaction of the change. Processes of older versions write nothing here.

CREATE TABLE audit (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- not by account: some changes belong to none
    account_id text,                        -- null: of the whole installation; no reference, the record outlives an account
    at         timestamptz NOT NULL DEFAULT now(),
    who_kind   text NOT NULL,               -- user, token, command, program
    who        text NOT NULL,               -- login, name of the token, user of the operating system
    door       text NOT NULL,               -- api, pages, command-line, consent, program
    address    text NOT NULL DEFAULT '',    -- where from: IP address, or host
    what       text NOT NULL,               -- account, connection, employee, token, user, matrix, …
    object     text NOT NULL,               -- its name
    action     text NOT NULL,               -- added, changed, removed, published, …
    before     jsonb,                       -- only what differs; secrets as 'set' and 'changed'
    after      jsonb
);
CREATE INDEX audit_account ON audit (account_id, seq);
CREATE INDEX audit_at ON audit (at);
ALTER TABLE audit ALTER COLUMN before SET STATISTICS 0, ALTER COLUMN after SET STATISTICS 0;
