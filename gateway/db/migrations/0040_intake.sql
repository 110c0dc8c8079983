-- Intake: what a client's job looks for, the versions of the staff, and the cases of missed calls.

CREATE INDEX inbox_pending_client ON inbox (account_id, client) WHERE state = 'pending';
CREATE INDEX inbox_dead ON inbox (account_id, event_id) WHERE state = 'dead';
CREATE INDEX inbox_received ON inbox (received_at);

-- What a person said when ignoring a dead event, and how often it was tried again.
ALTER TABLE inbox ADD COLUMN note text;

-- When the latest event of the call was received by our clock: the lost-hangup timer counts from here.
ALTER TABLE call ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now();
-- The line (DID) as E.164 where it is a public number: journals and matrices ask for it.
ALTER TABLE call ADD COLUMN line text;
CREATE INDEX call_started ON call (account_id, started_at);

-- The job library looks up jobs by lock at every fetch.
CREATE INDEX callmatrix_jobs_lock ON procrastinate_jobs (lock) WHERE status IN ('todo', 'doing');

-- The staff as it was at each version that a decision names.
CREATE TABLE staff_snapshot (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    version    bigint NOT NULL,
    staff      jsonb NOT NULL,              -- routing.clients.Staff
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, version)
);

-- One open case per client: he called, nobody answered, somebody must call back.
CREATE TABLE missed_case (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    case_id       text NOT NULL,            -- of the first missed call
    client        text NOT NULL,
    state         text NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at     timestamptz NOT NULL,     -- when the first missed call began
    last_missed_at timestamptz NOT NULL,
    missed_calls  text[] NOT NULL,          -- call ids, in the order they were told
    owner_id      text,                     -- CRM user who must call back
    target        jsonb,                    -- routing.clients.Ref of the task
    task_text     text NOT NULL,            -- as the matrix wrote it, without the count
    task_due_at   timestamptz NOT NULL,
    escalations   integer NOT NULL DEFAULT 0,
    escalate_at   timestamptz,
    changes       integer NOT NULL DEFAULT 0,  -- of the task: numbers the keys of their effects
    closed_at     timestamptz,
    closed_by_call text,
    closed_by     text,                     -- employee who reached the client
    waited_seconds integer,                 -- the client's waiting, in working time
    PRIMARY KEY (account_id, case_id)
);
CREATE UNIQUE INDEX missed_case_open ON missed_case (account_id, client) WHERE state = 'open';
CREATE INDEX missed_case_client ON missed_case (account_id, client, opened_at);
CREATE INDEX missed_case_escalate ON missed_case (escalate_at) WHERE state = 'open' AND escalate_at IS NOT NULL;
