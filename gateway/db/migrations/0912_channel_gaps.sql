-- When a messenger channel was last listened to, and the times in which nobody did.

ALTER TABLE channel ADD COLUMN listened_at timestamptz;  -- NULL: not noted yet

CREATE TABLE channel_gap (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    gap_id      bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel_id  text NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL,
    state       text NOT NULL CHECK (state IN ('repairing', 'repaired', 'open')),
    cursor      text,                                  -- of the history, committed with what stood before it
    found       integer NOT NULL DEFAULT 0,            -- updates that were missing
    failures    integer NOT NULL DEFAULT 0,
    try_at      timestamptz,                           -- of one that is being repaired
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, gap_id)
);
CREATE INDEX channel_gap_of_channel ON channel_gap (channel_id, to_at);
