-- Accounts, connections, people, calls, decisions, effects and the directory. account_id leads every primary key.

CREATE TABLE account (
    account_id   text PRIMARY KEY CHECK (account_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name         text NOT NULL,
    crm_kind     text NOT NULL DEFAULT 'amocrm',
    base_url     text NOT NULL,
    time_zone    text NOT NULL DEFAULT 'Europe/Moscow',
    region       text NOT NULL DEFAULT 'RU',
    -- on: everything runs; off: switched off by a person; broken: the authorisation does not work any more
    state        text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off', 'broken')),
    state_reason text NOT NULL DEFAULT '',
    state_since  timestamptz NOT NULL DEFAULT now(),
    -- routing.settings.AccountSettings: lookup order, number policy, settle time, deputies, groups, …
    settings     jsonb NOT NULL DEFAULT '{}',
    webhook_secret text NOT NULL,
    staff_version  bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE crm_token (
    account_id    text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('long_lived', 'oauth')),
    access_token  text NOT NULL,
    refresh_token text,
    client_id     text,
    client_secret text,
    redirect_uri  text,
    expires_at    timestamptz,
    -- grows with every new pair, so that two processes never refresh the same one
    generation    bigint NOT NULL DEFAULT 1,
    -- set before a refresh is sent, cleared with the pair it brought: a refresh that was answered but lost shows here
    refresh_sent_at timestamptz,
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE connection (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    connection_id text NOT NULL,
    name          text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    kind          text NOT NULL,
    secret_hash   text NOT NULL,
    keys          jsonb NOT NULL DEFAULT '{}',
    dialect       text NOT NULL DEFAULT 'json',
    region        text,
    lines         text[] NOT NULL DEFAULT '{}',
    settings      jsonb NOT NULL DEFAULT '{}',
    is_on         boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, connection_id)
);

CREATE TABLE employee (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    employee_id text NOT NULL,
    name        text NOT NULL,
    email       text NOT NULL DEFAULT '',
    crm_user_id text,
    extensions  text[] NOT NULL DEFAULT '{}',
    sip         text[] NOT NULL DEFAULT '{}',
    numbers     text[] NOT NULL DEFAULT '{}',
    is_senior   boolean NOT NULL DEFAULT false,
    deputy_id   text,
    team        text,
    PRIMARY KEY (account_id, employee_id)
);
CREATE UNIQUE INDEX employee_senior ON employee (account_id) WHERE is_senior;

CREATE TABLE api_token (
    token_hash text PRIMARY KEY,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('admin', 'senior_manager', 'manager', 'read_only')),
    account_id text REFERENCES account ON DELETE CASCADE,  -- null: every account
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz
);

-- What PBXs told us, exactly as told. Committed before the PBX hears 200.
CREATE TABLE inbox (
    account_id    text NOT NULL,
    event_id      bigint GENERATED ALWAYS AS IDENTITY,
    connection_id text NOT NULL,
    dedupe_key    bytea NOT NULL,           -- sha256 of the canonical payload
    call_key      text NOT NULL,
    client        text,                     -- E.164 where this message tells it
    received_at   timestamptz NOT NULL,
    raw           bytea NOT NULL,
    events        jsonb NOT NULL,           -- array of routing.calls.CallEvent
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'applied', 'dead', 'ignored')),
    applied_at    timestamptz,
    error         text,
    PRIMARY KEY (account_id, event_id)
);
CREATE UNIQUE INDEX inbox_once ON inbox (account_id, connection_id, dedupe_key);
CREATE INDEX inbox_call ON inbox (account_id, connection_id, call_key);
CREATE INDEX inbox_pending ON inbox (account_id, received_at) WHERE state = 'pending';

CREATE TABLE call (
    account_id    text NOT NULL,
    call_id       text NOT NULL,            -- ours; also the `uniq` of the call note
    connection_id text NOT NULL,
    call_key      text NOT NULL,
    client        text,                     -- E.164; null: anonymous, internal, invalid
    direction     text NOT NULL,
    disposition   text NOT NULL,
    is_over       boolean NOT NULL,
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    facts         jsonb NOT NULL,           -- routing.calls.Call
    client_kind   text,                     -- fixed at the first event
    matrix_version bigint,                  -- fixed at the first event
    moments       jsonb NOT NULL DEFAULT '{}',  -- moment -> decision_id
    due_at        timestamptz,              -- when something has to be looked at again (settle time, lost hangup)
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, call_id)
);
CREATE UNIQUE INDEX call_key ON call (account_id, connection_id, call_key);
CREATE INDEX call_client ON call (account_id, client, started_at);
CREATE INDEX call_due ON call (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE decision (
    account_id  text NOT NULL,
    decision_id text NOT NULL,
    kind        text NOT NULL,              -- lookup, matrix, case, …
    at          timestamptz NOT NULL,
    call_id     text,
    client      text,
    reason      text NOT NULL,
    outcome     jsonb NOT NULL,
    steps       jsonb NOT NULL,
    inputs      jsonb NOT NULL,             -- enough to compute it again
    PRIMARY KEY (account_id, decision_id)
);
CREATE INDEX decision_call ON decision (account_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX decision_client ON decision (account_id, client, at);
CREATE INDEX decision_at ON decision (at);

-- One concrete CRM write each. Intent first, in the decision's transaction; then the write; then the outcome.
CREATE TABLE effect (
    account_id  text NOT NULL,
    effect_key  text NOT NULL,
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    decision_id text NOT NULL,
    call_id     text,
    client      text NOT NULL,
    lane        smallint NOT NULL,          -- crm.port.Lane
    what        text NOT NULL,              -- the order's `do`
    "order"     jsonb NOT NULL,             -- routing.plan.Order
    after       text[] NOT NULL DEFAULT '{}',
    not_before  timestamptz,
    -- waiting -> sending -> done | waiting again | unknown (look first) | dead (desk) | skipped (no longer wanted)
    -- held: the account is off or broken; decided and stored, sent only by a reactivation. expired: older than its window
    state       text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'sending', 'unknown', 'done', 'dead', 'skipped', 'held', 'expired')),
    attempts    integer NOT NULL DEFAULT 0,
    next_try_at timestamptz,
    sent_at     timestamptz,                -- the latest send
    done_at     timestamptz,
    crm_id      text,                       -- what exists in the CRM now
    crm_extra   jsonb NOT NULL DEFAULT '{}',
    was_found   boolean NOT NULL DEFAULT false,  -- it was there already: found, not made
    error_code  text,
    error_field text,
    error_detail text,
    note        text,                       -- what a person said when ignoring or editing it
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, effect_key)
);
CREATE INDEX effect_open ON effect (account_id, lane, seq) WHERE state IN ('waiting', 'sending', 'unknown');
CREATE INDEX effect_client ON effect (account_id, client);
CREATE INDEX effect_call ON effect (account_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX effect_dead ON effect (account_id, seq) WHERE state = 'dead';

-- The directory: our copy of which number belongs to which entities and owners.
CREATE TABLE directory_entity (
    account_id  text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('lead', 'contact', 'company', 'deal')),
    entity_id   text NOT NULL,
    name        text NOT NULL DEFAULT '',
    owner_id    text,
    created_at  timestamptz,
    updated_at  timestamptz,
    closed_at   timestamptz,
    pipeline_id text,
    stage_id    text,
    is_open     boolean NOT NULL DEFAULT true,
    PRIMARY KEY (account_id, kind, entity_id)
);

CREATE TABLE directory_number (
    account_id text NOT NULL,
    number     bigint NOT NULL,             -- E.164 without the plus
    kind       text NOT NULL,
    entity_id  text NOT NULL,
    PRIMARY KEY (account_id, number, kind, entity_id)
);
CREATE INDEX directory_number_entity ON directory_number (account_id, kind, entity_id);

CREATE TABLE directory_link (
    account_id text NOT NULL,
    deal_id    text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('contact', 'company')),
    entity_id  text NOT NULL,
    is_main    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, deal_id, kind, entity_id)
);
CREATE INDEX directory_link_entity ON directory_link (account_id, kind, entity_id);

CREATE TABLE crm_user (
    account_id text NOT NULL,
    user_id    text NOT NULL,
    name       text NOT NULL,
    email      text NOT NULL DEFAULT '',
    is_active  boolean NOT NULL,
    is_admin   boolean NOT NULL DEFAULT false,
    group_id   text,
    PRIMARY KEY (account_id, user_id)
);

CREATE TABLE crm_pipeline (
    account_id  text NOT NULL,
    pipeline_id text NOT NULL,
    name        text NOT NULL,
    is_main     boolean NOT NULL,
    is_archived boolean NOT NULL DEFAULT false,
    is_unsorted_on boolean NOT NULL DEFAULT false,
    stages      jsonb NOT NULL,             -- array of {id, name, sort, is_closed, is_unsorted}
    PRIMARY KEY (account_id, pipeline_id)
);

CREATE TABLE crm_field (
    account_id text NOT NULL,
    kind       text NOT NULL,
    field_id   text NOT NULL,
    code       text,
    name       text NOT NULL,
    type       text NOT NULL,
    choices    jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, kind, field_id)
);

CREATE TABLE crm_account (
    account_id text PRIMARY KEY,
    crm_id     text NOT NULL,
    name       text NOT NULL,
    time_zone  text,
    is_unsorted_on boolean NOT NULL,
    are_filters_on boolean NOT NULL,
    task_types jsonb NOT NULL DEFAULT '{}',
    read_at    timestamptz NOT NULL
);

-- Where each feed of an account stands, and how it fares (shown on the status page).
CREATE TABLE sync_cursor (
    account_id   text NOT NULL,
    feed         text NOT NULL,             -- load:contact, delta:deal, events, unsorted, users, …
    cursor       jsonb NOT NULL DEFAULT '{}',
    last_success timestamptz,
    last_error   text,
    last_error_at timestamptz,
    PRIMARY KEY (account_id, feed)
);
