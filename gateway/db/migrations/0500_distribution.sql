-- Who gets a deal: named templates with their versions, where they apply, what was given to whom, and why.

-- One row a template: whoever picks holds its lock, so that decisions come one after the other.
CREATE TABLE distribution_template (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    name       text NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),    -- the one that decides
    ledgers    jsonb NOT NULL DEFAULT '{}',            -- scope -> routing.distribution.ledger.TurnLedger
    base       jsonb NOT NULL DEFAULT '{}',            -- the same, before the oldest entry of the journal that is kept
    removed_at timestamptz,
    PRIMARY KEY (account_id, name)
);

CREATE TABLE distribution_version (
    account_id text NOT NULL,
    name       text NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),
    body       jsonb NOT NULL,                         -- routing.distribution.template.DistributionTemplate
    saved_at   timestamptz NOT NULL DEFAULT now(),
    saved_by   text NOT NULL,
    PRIMARY KEY (account_id, name, version),
    FOREIGN KEY (account_id, name) REFERENCES distribution_template ON DELETE CASCADE
);
CREATE FUNCTION callmatrix_template_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published version of a template is never changed';
END $$;
CREATE TRIGGER distribution_version_final BEFORE UPDATE ON distribution_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_template_is_final();

CREATE TABLE distribution_attachment (
    account_id  text NOT NULL,
    pipeline_id text NOT NULL,
    stage_id    text NOT NULL,
    template    text NOT NULL,
    entered     boolean NOT NULL DEFAULT true,         -- deals that are moved into the stage
    created     boolean NOT NULL DEFAULT true,         -- deals that are made in it
    since       timestamptz NOT NULL DEFAULT now(),    -- what came before is nobody's to give
    attached_by text NOT NULL,
    PRIMARY KEY (account_id, pipeline_id, stage_id),
    FOREIGN KEY (account_id, template) REFERENCES distribution_template ON DELETE CASCADE
);
CREATE INDEX distribution_attachment_template ON distribution_attachment (account_id, template);

-- What is to be given, or was: one a deal and entry into the stage.
CREATE TABLE distribution_item (
    account_id   text NOT NULL,
    item_id      text NOT NULL,
    template     text NOT NULL,
    version      bigint,                               -- that decided last
    kind         text NOT NULL DEFAULT 'deal',
    entity_id    text NOT NULL,
    pipeline_id  text,
    stage_id     text,
    event_id     bigint,                               -- crm_event of the entry, NULL: nobody told of it (yet)
    source       text NOT NULL,                        -- event, sweep, hook, stage, api
    state        text NOT NULL DEFAULT 'waiting',      -- waiting, given, kept, nobody, cancelled, failed
    reason       text NOT NULL DEFAULT '',
    employee_id  text,                                 -- who has it by us
    owner_before text,                                 -- CRM user whose it was
    decision_id  text,
    round        integer NOT NULL DEFAULT 0,           -- decisions so far
    tried        text[] NOT NULL DEFAULT '{}',         -- employees who had it and did not take it to work
    refused      text[] NOT NULL DEFAULT '{}',         -- employees whom the CRM would not have
    entered_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    decided_at   timestamptz,
    due_at       timestamptz,                          -- when it is looked at next; NULL: never again
    opens_at     timestamptz,                          -- of what waits for working time: when that begins
    take_until   timestamptz,                          -- until when they must have taken it to work
    taken_at     timestamptz,
    is_written   boolean NOT NULL DEFAULT true,        -- false: ordered, and not told yet what became of it
    overridden_by text,                                -- CRM user to whom another gave it, soon after us
    failures     integer NOT NULL DEFAULT 0,
    error        text,
    PRIMARY KEY (account_id, item_id)
);
CREATE UNIQUE INDEX distribution_item_event ON distribution_item (account_id, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX distribution_item_entity ON distribution_item (account_id, kind, entity_id, created_at);
CREATE INDEX distribution_item_due ON distribution_item (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX distribution_item_waiting ON distribution_item (account_id, template, entered_at) WHERE state = 'waiting';
CREATE INDEX distribution_item_given ON distribution_item (account_id, template, decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX distribution_item_unwritten ON distribution_item (account_id, decision_id) WHERE NOT is_written;
CREATE INDEX distribution_item_stuck ON distribution_item (account_id) WHERE state IN ('waiting', 'failed');
CREATE INDEX distribution_item_age ON distribution_item (account_id, created_at, item_id);

-- Every entry of every ledger, so that the credits of each can be worked out again.
CREATE TABLE distribution_journal (
    account_id  text NOT NULL,
    entry_id    bigint GENERATED ALWAYS AS IDENTITY,
    template    text NOT NULL,
    scope       text NOT NULL,
    number      bigint NOT NULL,
    item_id     text NOT NULL,
    decision_id text NOT NULL,
    winner      text NOT NULL,
    entry       jsonb NOT NULL,                        -- routing.distribution.ledger.LedgerEntry
    at          timestamptz NOT NULL,
    undone_at   timestamptz,
    undone_number bigint,                              -- of the ledger after it was taken back
    undone_why  text,                                  -- not_taken, crm_refused, deal_gone, overridden
    PRIMARY KEY (account_id, entry_id)
);
CREATE INDEX distribution_journal_template ON distribution_journal (account_id, template, entry_id);
CREATE INDEX distribution_journal_item ON distribution_journal (account_id, item_id);
CREATE INDEX distribution_journal_at ON distribution_journal (account_id, template, at);
