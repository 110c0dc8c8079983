-- Who is at work: what is known now, what was, how the watching goes, and which pages are open.

CREATE TABLE presence (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    employee_id   text NOT NULL,
    mark          text NOT NULL CHECK (mark IN ('unknown', 'on', 'asked', 'off')),
    since         timestamptz NOT NULL,
    source        text NOT NULL,
    reason        text NOT NULL,             -- routing.attendance.model.AttendanceReason
    switched_by   text NOT NULL DEFAULT '',
    signs         jsonb NOT NULL DEFAULT '{}',  -- source -> time of the latest
    asked_at      timestamptz,
    answer_by     timestamptz,
    hold          text CHECK (hold IN ('button', 'schedule')),
    deaf_until    timestamptz,
    dnd           text NOT NULL DEFAULT 'no' CHECK (dnd IN ('no', 'yes', 'overruled')),
    is_in_call    boolean NOT NULL DEFAULT false,
    has_page_gone boolean NOT NULL DEFAULT false,
    on_shift      boolean,
    PRIMARY KEY (account_id, employee_id)
);

CREATE TABLE presence_interval (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    interval_id bigint GENERATED ALWAYS AS IDENTITY,
    employee_id text NOT NULL,
    state       text NOT NULL CHECK (state IN ('unknown', 'on', 'asked', 'off', 'dnd')),
    since       timestamptz NOT NULL,
    until       timestamptz,
    source      text NOT NULL,
    reason      text NOT NULL,
    switched_by text NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, interval_id)
);
CREATE INDEX presence_interval_employee ON presence_interval (account_id, employee_id, since);
CREATE UNIQUE INDEX presence_interval_open ON presence_interval (account_id, employee_id) WHERE until IS NULL;
CREATE INDEX presence_interval_age ON presence_interval (until) WHERE until IS NOT NULL;

-- Locked by whoever looks, so that two processes never conclude the same.
CREATE TABLE presence_watch (
    account_id     text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    trusted_from   timestamptz NOT NULL,
    watched_at     timestamptz NOT NULL,
    feed_read_at   timestamptz,
    feed_heard_at  timestamptz,
    feed_newest_at timestamptz,              -- by the CRM's clock: from where its feed is read on
    feed_error     text NOT NULL DEFAULT '',
    are_beats_lost boolean NOT NULL DEFAULT false
);

-- Heartbeats of open pages, where no Redis keeps them.
CREATE TABLE presence_page (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    employee_id text NOT NULL,
    page        text NOT NULL,
    seen_at     timestamptz NOT NULL,
    input_at    timestamptz,
    is_closed   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, employee_id, page)
);

-- What a telephone system says of its phones. seen_at: when it was last said; old words count no more.
CREATE TABLE presence_phone (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    connection_id text NOT NULL,
    address       text NOT NULL,
    is_busy       boolean NOT NULL DEFAULT false,
    is_dnd        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, connection_id, address)
);
CREATE TABLE presence_phone_source (
    account_id    text NOT NULL REFERENCES account ON DELETE CASCADE,
    connection_id text NOT NULL,
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (account_id, connection_id)
);
