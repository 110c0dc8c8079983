-- Shift change: what an account has set, every move of a person's deals, and what became of each deal, with its former owner.

CREATE TABLE shift_policy (
    account_id text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    policy     jsonb NOT NULL,                 -- routing.shift_change.policy.ShiftPolicy
    is_on      boolean NOT NULL DEFAULT false, -- of the policy
    saved_at   timestamptz NOT NULL DEFAULT now(),
    saved_by   text NOT NULL DEFAULT ''
);

CREATE TABLE shift_run (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    run_id      bigint GENERATED ALWAYS AS IDENTITY,
    kind        text NOT NULL CHECK (kind IN ('away', 'new', 'return')),
    employee_id text NOT NULL,                 -- who is gone, or who returns
    user_id     text NOT NULL,                 -- of the CRM, at that time
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'stopped', 'broken_off', 'done')),
    is_by_hand  boolean NOT NULL DEFAULT false,
    ordered_by  text NOT NULL DEFAULT '',      -- whoever began it, '' = their presence
    since       timestamptz,                   -- only deals made from then on
    reason      text NOT NULL DEFAULT '',      -- why it ended before its end, or why it waits
    total       integer,                       -- deals that it is to move, NULL: not listed yet
    started_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (account_id, run_id)
);
CREATE UNIQUE INDEX shift_run_open ON shift_run (account_id, employee_id) WHERE state IN ('running', 'paused');
CREATE INDEX shift_run_of ON shift_run (account_id, employee_id, started_at);

-- One row a deal, contact, company or task and run: written with the order to the CRM in one transaction.
CREATE TABLE shift_move (
    account_id  text NOT NULL,
    run_id      bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('deal', 'contact', 'company', 'task')),
    entity_id   text NOT NULL,
    deal_id     text NOT NULL,                 -- itself, or the deal with which it goes along
    position    integer NOT NULL,
    state       text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'ordered', 'moved', 'left')),
    reason      text NOT NULL DEFAULT '',      -- why it was left where it was
    owner_was   text NOT NULL,                 -- CRM user, before this move
    taken_from  text NOT NULL,                 -- CRM user, before the first of our moves in a row
    created_for text,                          -- CRM user, when the deal was made
    given_to    text,                          -- CRM user
    employee_id text,                          -- the same as one of ours
    effect_key  text,
    tries       integer NOT NULL DEFAULT 0,
    is_last     boolean NOT NULL DEFAULT false, -- moved, and not by us again since, nor given back
    ordered_at  timestamptz,
    settled_at  timestamptz,
    PRIMARY KEY (account_id, run_id, kind, entity_id),
    FOREIGN KEY (account_id, run_id) REFERENCES shift_run ON DELETE CASCADE
);
CREATE INDEX shift_move_open ON shift_move (account_id, run_id, position) WHERE state IN ('planned', 'ordered');
CREATE INDEX shift_move_last ON shift_move (account_id, kind, entity_id) WHERE is_last;
CREATE INDEX shift_move_owed ON shift_move (account_id, taken_from) WHERE is_last;
