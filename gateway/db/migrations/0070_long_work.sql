-- Work that a person waits for: asked by the API, done by a worker, with progress and a way to stop it.

CREATE TABLE long_work (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    work_id    text NOT NULL,
    kind       text NOT NULL,               -- replay, …
    state      text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    asked      jsonb NOT NULL,              -- what was asked for
    asked_by   text NOT NULL,
    done       integer NOT NULL DEFAULT 0,
    total      integer,                     -- null: not known yet
    result     jsonb,
    error      text,
    is_stopped boolean NOT NULL DEFAULT false,  -- somebody wants it to end
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    heard_at   timestamptz,                 -- progress was written; old on running work = its worker is gone
    ended_at   timestamptz,
    PRIMARY KEY (account_id, work_id)
);
CREATE INDEX long_work_open ON long_work (created_at) WHERE state IN ('waiting', 'running');
