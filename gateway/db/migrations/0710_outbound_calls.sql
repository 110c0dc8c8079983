-- Calls that go out: each attempt of an item, the pace of an account, and PBXs to which nothing is sent for a while.

-- unknown: somebody may have been reached and nobody knows; a late report or a person settles it.
ALTER TABLE outbound_item DROP CONSTRAINT outbound_item_state_check;
ALTER TABLE outbound_item ADD CONSTRAINT outbound_item_state_check CHECK (state IN
    ('waiting', 'dialling', 'sending', 'succeeded', 'failed', 'unknown', 'expired', 'cleared', 'dropped'));
ALTER TABLE outbound_item ADD COLUMN look_at timestamptz;  -- of what waits: not looked at before, NULL = at once

-- Written and committed before the PBX is asked for anything; its id is the PBX's own of the call where it takes one.
CREATE TABLE outbound_attempt (
    account_id   text NOT NULL,
    attempt_id   text NOT NULL,
    item_id      text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('callback', 'campaign')),
    client       text NOT NULL,                        -- E.164, as it was when it was claimed
    employee_id  text,
    extension    text,
    group_number text,                                 -- instead of an employee: rung by the PBX
    connection   text NOT NULL,
    line         text,
    state        text NOT NULL DEFAULT 'claimed' CHECK (state IN
        ('claimed', 'placing', 'operator_ringing', 'operator_answered', 'client_ringing', 'talking', 'over')),
    side         text,                                 -- routing.outbound.attempts.AttemptOutcome
    reason       text,
    raw          text NOT NULL DEFAULT '',
    claimed_at   timestamptz NOT NULL,
    placed_at    timestamptz,                          -- when the request began
    over_at      timestamptz,
    call_key     text,
    look_at      timestamptz NOT NULL,                 -- when to ask what became of it, if nothing is told
    looks        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, attempt_id),
    FOREIGN KEY (account_id, item_id) REFERENCES outbound_item ON DELETE CASCADE
);
CREATE UNIQUE INDEX outbound_attempt_client ON outbound_attempt (account_id, client) WHERE state <> 'over';
CREATE UNIQUE INDEX outbound_attempt_employee ON outbound_attempt (account_id, employee_id)
    WHERE state <> 'over' AND employee_id IS NOT NULL;
CREATE INDEX outbound_attempt_item ON outbound_attempt (account_id, item_id, claimed_at);
CREATE INDEX outbound_attempt_unknown ON outbound_attempt (account_id, over_at) WHERE side = 'unknown';

-- Locked by whoever places the next call, so that several workers keep one rate.
CREATE TABLE outbound_pace (
    account_id     text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    last_placed_at timestamptz,
    before_that    timestamptz,                        -- what it was, for one that was not placed after all
    slow_until     timestamptz                         -- half the rate: a PBX had too much
);

CREATE TABLE outbound_connection (
    account_id   text NOT NULL REFERENCES account ON DELETE CASCADE,
    connection   text NOT NULL,
    stopped_at   timestamptz,                          -- until a person says that it goes on
    code         text NOT NULL DEFAULT '',
    words        text NOT NULL DEFAULT '',             -- the PBX's own
    away_until   timestamptz,                          -- it did not answer; asked again by itself
    PRIMARY KEY (account_id, connection)
);

CREATE INDEX outbound_item_calls ON outbound_item (account_id, priority, not_before, item_id)
    WHERE state = 'waiting' AND kind <> 'sms';
