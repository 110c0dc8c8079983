-- Messages on their way, what providers told too early, and what clients wrote.

-- Ours, told to providers; never used twice. It begins anywhere, so that two installations with one login do not meet.
CREATE SEQUENCE sms_own_id AS bigint MINVALUE 1 MAXVALUE 2147483647 CYCLE;
SELECT setval('sms_own_id', 1 + floor(random() * 1000000000)::bigint);

CREATE TABLE sms_message (
    account_id   text NOT NULL REFERENCES account ON DELETE CASCADE,
    own_id       bigint NOT NULL DEFAULT nextval('sms_own_id'),
    item_id      text,                                 -- NULL: a test
    connection   text NOT NULL,
    employee_id  text,                                 -- NULL: to the client
    number       text,                                 -- E.164; NULL once it was emptied
    deal_id      text,
    contact_id   text,
    sender       text,
    extension    text,                                 -- of the employee that it is charged to
    text         text NOT NULL,                        -- as sent; '' once it was emptied
    encoding     text NOT NULL,
    parts        integer NOT NULL,
    state        text NOT NULL DEFAULT 'queued',       -- sms.model.SmsState
    progress     jsonb NOT NULL DEFAULT '{}',          -- sms.progress.SmsProgress
    provider_ids text[] NOT NULL DEFAULT '{}',
    reason       text NOT NULL DEFAULT '',             -- SmsReason or SmsDoubt
    words        text NOT NULL DEFAULT '',             -- what the provider said
    price        numeric,
    is_noted     boolean NOT NULL DEFAULT false,       -- it stands in the card that it was sent
    noted_at     timestamptz,                          -- of its latest note: no other of the deal has this second
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    fresh_until  timestamptz NOT NULL,                 -- its text and its hours were judged until then
    expires_at   timestamptz NOT NULL,
    look_at      timestamptz,                          -- of one on its way: when to ask of it
    looks        integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    claimed_at   timestamptz,                          -- when the request began
    reported_at  timestamptz,
    ended_at     timestamptz,
    PRIMARY KEY (account_id, own_id)
);
CREATE UNIQUE INDEX sms_message_once ON sms_message (account_id, item_id, number) WHERE item_id IS NOT NULL;
CREATE INDEX sms_message_due ON sms_message (account_id, connection, next_try_at, own_id) WHERE state IN ('queued', 'sending');
CREATE INDEX sms_message_look ON sms_message (account_id, connection, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX sms_message_ids ON sms_message USING gin (provider_ids);
CREATE INDEX sms_message_notes ON sms_message (account_id, deal_id, noted_at) WHERE noted_at IS NOT NULL;
CREATE INDEX sms_message_age ON sms_message (account_id, created_at, own_id);

-- Told of an id before the answer that gives it.
CREATE TABLE sms_early (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    seq         bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    connection  text NOT NULL,
    ids         text[] NOT NULL,
    report      jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, seq)
);
CREATE INDEX sms_early_ids ON sms_early USING gin (ids);

CREATE TABLE sms_incoming (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    incoming_id text NOT NULL,                         -- made of what tells it from others: a repetition is the same
    connection  text NOT NULL,
    number      text,                                  -- E.164 where it can be read; NULL once it was emptied
    sent_to     text NOT NULL,
    text        text NOT NULL,
    part        jsonb,                                 -- of a message in pieces that waits for the others
    is_opt_out  boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, incoming_id)
);
CREATE INDEX sms_incoming_age ON sms_incoming (account_id, received_at, incoming_id);
CREATE INDEX sms_incoming_parts ON sms_incoming (account_id, connection, number) WHERE part IS NOT NULL;

-- Who of those named by a text got none, and why.
ALTER TABLE outbound_item ADD COLUMN skipped jsonb NOT NULL DEFAULT '[]';

CREATE INDEX outbound_item_sms ON outbound_item (account_id, not_before, item_id) WHERE state = 'waiting' AND kind = 'sms';
