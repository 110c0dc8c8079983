-- What a change of a deal starts: named triggers with their versions, what they fired on, and what is to go out.

CREATE TABLE pipeline_trigger (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    name       text NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),    -- the one that holds
    on_since   timestamptz,                            -- NULL: it is off
    removed_at timestamptz,
    PRIMARY KEY (account_id, name)
);

CREATE TABLE pipeline_trigger_version (
    account_id text NOT NULL,
    name       text NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),
    body       jsonb NOT NULL,                         -- routing.triggers.model.Trigger
    saved_at   timestamptz NOT NULL DEFAULT now(),
    saved_by   text NOT NULL,
    PRIMARY KEY (account_id, name, version),
    FOREIGN KEY (account_id, name) REFERENCES pipeline_trigger ON DELETE CASCADE
);
CREATE FUNCTION callmatrix_trigger_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a saved version of a trigger is never changed';
END $$;
CREATE TRIGGER pipeline_trigger_version_final BEFORE UPDATE ON pipeline_trigger_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_trigger_is_final();

-- One cause for one deal and trigger, however many ways it was told.
CREATE TABLE firing (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    firing_id   text NOT NULL,
    trigger     text NOT NULL,
    version     bigint NOT NULL,
    deal_id     text NOT NULL,
    cause_key   text NOT NULL,
    cause       jsonb NOT NULL,                        -- routing.triggers.causes.Cause
    event_id    bigint,                                -- crm_event, NULL: nobody told of the change itself (yet)
    source      text NOT NULL CHECK (source IN ('event', 'hook', 'apply')),
    state       text NOT NULL DEFAULT 'reading' CHECK (state IN ('reading', 'queued', 'skipped', 'failed')),
    reason      text NOT NULL DEFAULT '',              -- routing.triggers.reasons.FiringReason
    steps       jsonb NOT NULL DEFAULT '[]',
    contact_id  text,                                  -- the deal's main contact when it was read
    tries       integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    happened_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (account_id, firing_id),
    UNIQUE (account_id, trigger, deal_id, cause_key)
);
CREATE INDEX firing_due ON firing (account_id, next_try_at) WHERE state = 'reading';
CREATE INDEX firing_age ON firing (account_id, created_at, firing_id);
CREATE INDEX firing_deal ON firing (account_id, deal_id, created_at);

-- What is to go out, and what went.
CREATE TABLE outbound_item (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    item_id     text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('sms', 'callback', 'campaign')),
    firing_id   text,
    source      text NOT NULL CHECK (source IN ('trigger', 'matrix', 'api', 'campaign')),
    deal_id     text,
    contact_id  text,
    client      text,                                  -- E.164, NULL until it is claimed
    target      jsonb,
    connection  text,
    line        text,
    priority    integer NOT NULL DEFAULT 0,
    not_before  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN
        ('waiting', 'dialling', 'sending', 'succeeded', 'failed', 'expired', 'cleared', 'dropped')),
    reason      text NOT NULL DEFAULT '',
    employee_id text,
    counters    jsonb NOT NULL DEFAULT '{}',           -- client_tries, operator_tries
    campaign    text,
    "order"     jsonb NOT NULL,                        -- the action as saved, with the trigger and its version
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (account_id, item_id)
);
CREATE UNIQUE INDEX outbound_item_firing ON outbound_item (account_id, firing_id) WHERE firing_id IS NOT NULL;
CREATE INDEX outbound_item_waiting ON outbound_item (account_id, kind, priority, not_before, item_id) WHERE state = 'waiting';
CREATE INDEX outbound_item_contact ON outbound_item (account_id, contact_id, created_at);
CREATE INDEX outbound_item_age ON outbound_item (account_id, created_at, item_id);
