-- The writer: doubts about an effect, and the runs of the backfill.

-- How often a send of this effect ended without a trustworthy answer. The more doubts, the smaller its next batch.
ALTER TABLE effect ADD COLUMN doubts integer NOT NULL DEFAULT 0;
CREATE INDEX effect_held ON effect (account_id, seq) WHERE state = 'held';
CREATE INDEX effect_crm_id ON effect (account_id, crm_id) WHERE crm_id IS NOT NULL;

CREATE TABLE backfill_run (
    account_id  text NOT NULL,
    run_id      text NOT NULL,
    state       text NOT NULL CHECK (state IN ('running', 'paused', 'stopped', 'done')),
    since       timestamptz NOT NULL,       -- calls that began earlier are marked as not sent
    until       timestamptz NOT NULL,       -- calls that began later are live and not this run's
    preview     jsonb NOT NULL,             -- what was promised before it began
    calls_total integer NOT NULL,
    next_seq    bigint NOT NULL DEFAULT 0,  -- held effects before this one have been looked at
    started_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (account_id, run_id)
);
CREATE UNIQUE INDEX backfill_run_open ON backfill_run (account_id) WHERE state IN ('running', 'paused');

-- Which calls a run took up, in order: the report reads what became of their effects.
CREATE TABLE backfill_call (
    account_id text NOT NULL,
    run_id     text NOT NULL,
    call_id    text NOT NULL,
    position   integer NOT NULL,
    PRIMARY KEY (account_id, run_id, call_id)
);
