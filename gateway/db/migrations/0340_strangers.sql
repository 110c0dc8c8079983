-- Who came to the doors without a valid secret, or spoke no HTTP: counted by hour, so that any process can tell of it.
-- Older processes write nothing here.

CREATE TABLE stranger (
    hour       timestamptz NOT NULL,
    what       text NOT NULL,               -- a door, or what was wrong: see gateway/http/strangers.py
    connection text NOT NULL DEFAULT '',    -- of ours that was asked for; '' = none
    address    text NOT NULL,               -- or 'others', beyond so many addresses an hour
    count      bigint NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (hour, what, connection, address)
);
