-- What people are told when something needs them. account_id '' is the installation.

CREATE TABLE alert_state (
    account_id text NOT NULL,
    kind       text NOT NULL,               -- routing.alerts.AlertKind
    object     text NOT NULL DEFAULT '',    -- which of several: the name of the connection
    bad_since  timestamptz,
    good_since timestamptz,
    told_at    timestamptz,                 -- the alarm is open since then
    over_at    timestamptz,
    relapses   integer NOT NULL DEFAULT 0,
    facts      jsonb NOT NULL DEFAULT '{}', -- values of its sentence
    PRIMARY KEY (account_id, kind, object)
);

-- When a connection was last heard of; the journal alone does not tell it of those that others drown.
CREATE TABLE alert_heard (
    account_id    text NOT NULL,
    connection_id text NOT NULL,
    heard_at      timestamptz NOT NULL,
    PRIMARY KEY (account_id, connection_id),
    FOREIGN KEY (account_id, connection_id) REFERENCES connection ON DELETE CASCADE
);

-- Whose turn it is to look: locked by whoever decides, so that two processes never decide the same.
CREATE TABLE alert_turn (
    is_one     boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    looked_at  timestamptz NOT NULL DEFAULT to_timestamp(0),
    seen_event bigint NOT NULL DEFAULT 0    -- messages of PBXs up to here are in alert_heard
);
INSERT INTO alert_turn DEFAULT VALUES;

-- One message to one recipient each, written in the transaction of the decision, then sent, then its outcome.
CREATE TABLE alert_message (
    account_id   text NOT NULL,
    message_id   text NOT NULL,             -- made of cause, word, moment and recipient: the same is never stored twice
    kind         text NOT NULL,
    object       text NOT NULL,
    word         text NOT NULL,             -- routing.alerts.AlertWord
    channel      text NOT NULL CHECK (channel IN ('email', 'telegram')),
    recipient    text NOT NULL,
    language     text NOT NULL,
    subject      text NOT NULL,
    body         text NOT NULL,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'given_up')),
    attempts     integer NOT NULL DEFAULT 0,
    is_in_doubt  boolean NOT NULL DEFAULT false,  -- an earlier attempt may have arrived
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    claimed_at   timestamptz,
    error_code   text,
    error        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    seq          bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (account_id, message_id)
);
CREATE INDEX alert_message_open ON alert_message (seq) WHERE state IN ('waiting', 'sending');
CREATE INDEX alert_message_ended ON alert_message (created_at) WHERE state IN ('sent', 'given_up');
