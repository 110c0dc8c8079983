-- Commands that we gave to a PBX (MANGO's commands/route), and how they came out.
CREATE TABLE pbx_command (
    account_id    text NOT NULL,
    command_id    text NOT NULL,
    connection_id text NOT NULL,
    what          text NOT NULL DEFAULT 'route',
    call_key      text,
    leg           text,
    decision_id   text,                        -- of the lookup behind it
    address       text,
    -- sent: taken by the PBX, its result is awaited; done, failed: the PBX's result; refused: the PBX did not take it
    -- dropped: it would have come too late
    state         text NOT NULL CHECK (state IN ('sent', 'done', 'failed', 'refused', 'dropped')),
    code          integer,                     -- the PBX's result
    because       text NOT NULL DEFAULT '',
    asked_at      timestamptz NOT NULL,
    sent_at       timestamptz,
    result_at     timestamptz,
    PRIMARY KEY (account_id, command_id)
);
CREATE INDEX pbx_command_at ON pbx_command (asked_at);
CREATE INDEX pbx_command_call ON pbx_command (account_id, connection_id, call_key);

-- When a vendor that counts per product was last sent a command, whichever of our processes sent it.
CREATE TABLE pbx_pace (
    product text NOT NULL,                     -- sha256 of the product's key
    command text NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (product, command)
);
