-- Numbers that are neither called nor written to, for whatever reason an item would be.

CREATE TABLE do_not_call (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    number     text NOT NULL,                          -- E.164
    campaign   text NOT NULL DEFAULT '',               -- '' = everything
    source     text NOT NULL CHECK (source IN ('admin', 'client', 'provider')),
    said_by    text NOT NULL,
    note       text NOT NULL DEFAULT '',
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, number, campaign)
);
CREATE INDEX do_not_call_since ON do_not_call (account_id, since DESC, number DESC, campaign DESC);
CREATE INDEX outbound_item_client ON outbound_item (account_id, client) WHERE state = 'waiting' AND client IS NOT NULL;
