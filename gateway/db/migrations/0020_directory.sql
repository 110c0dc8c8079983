-- What a number leads to, ready to be held in memory, and the order in which it changed. A gateway that knows everything
-- up to `seq` n asks for what is newer than n: nothing can be missed, whatever happened to its connection.

CREATE TABLE directory_entry (
    account_id text NOT NULL,
    number     bigint NOT NULL,             -- E.164 without the plus
    seq        bigint NOT NULL,             -- directory_state.seq of the change that wrote this row
    candidates text NOT NULL,               -- JSON array of [kind letter, id, owner, updated_at, name, has_open_deal]; '' = gone
    PRIMARY KEY (account_id, number)
);
CREATE INDEX directory_entry_seq ON directory_entry (account_id, seq, number);

-- One row per account; its lock makes changes of one account's directory commit in the order of their seq.
CREATE TABLE directory_state (
    account_id text PRIMARY KEY,
    seq        bigint NOT NULL DEFAULT 0,
    changed_at timestamptz,                 -- when seq last grew
    loaded_at  timestamptz                  -- when the first load from the CRM was complete
);

-- Entities whose webhook did not carry everything: the account's worker reads them again.
CREATE TABLE directory_reread (
    account_id text NOT NULL,
    kind       text NOT NULL,
    entity_id  text NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, kind, entity_id)
);

-- Ids of the CRM are numbers written as text: by length, then by digits is their numeric order.
CREATE INDEX directory_entity_order ON directory_entity (account_id, kind, length(entity_id), entity_id COLLATE "C");
