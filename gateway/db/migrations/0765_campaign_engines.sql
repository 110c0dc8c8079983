-- Campaigns that a PBX's contact centre dials: how each was found there, and every number of theirs. The marker of a number that
-- the gateway puts in is committed before anything is sent, so that it can be looked for when an answer is lost.

CREATE TABLE campaign_engine (
    account_id   text NOT NULL,
    campaign_id  text NOT NULL,
    words        text NOT NULL DEFAULT '',             -- the contact centre's own, of where the campaign stands
    trouble      text NOT NULL DEFAULT '',             -- campaigns.engine.EngineTrouble
    looked_at    timestamptz,                          -- the last time that it answered
    listed_at    timestamptz,                          -- when its numbers were read, all of them
    list_seconds integer NOT NULL DEFAULT 60,          -- how long until they are read again: a long list less often
    due_at       timestamptz NOT NULL DEFAULT now(),
    send_at      timestamptz NOT NULL DEFAULT now(),   -- nothing is put in before
    throttled    integer NOT NULL DEFAULT 0,           -- so often in a row it said that it is asked too often
    leased_until timestamptz NOT NULL DEFAULT now(),   -- a worker is at it
    PRIMARY KEY (account_id, campaign_id),
    FOREIGN KEY (account_id, campaign_id) REFERENCES campaign ON DELETE CASCADE
);

CREATE TABLE campaign_task (
    account_id   text NOT NULL,
    campaign_id  text NOT NULL,
    marker       text NOT NULL,
    item_id      text,                                 -- NULL: the technical one, or one that others put in
    number       text NOT NULL,                        -- E.164
    state        text NOT NULL CHECK (state IN ('marked', 'lost', 'there', 'twin', 'over', 'foreign')),
    is_technical boolean NOT NULL DEFAULT false,
    task_ref     text,                                 -- its id there
    looks        integer NOT NULL DEFAULT 0,           -- so many whole lists did not show it
    marked_at    timestamptz NOT NULL,
    over_at      timestamptz,
    words        text NOT NULL DEFAULT '',             -- the contact centre's own, of what became of it
    PRIMARY KEY (account_id, marker),
    FOREIGN KEY (account_id, campaign_id) REFERENCES campaign ON DELETE CASCADE
);
COMMENT ON COLUMN campaign_task.state IS 'marked: about to be sent. lost: sent, and no answer came. there: taken. twin: the number was there before. foreign: put in by others';
CREATE UNIQUE INDEX campaign_task_item ON campaign_task (account_id, item_id) WHERE item_id IS NOT NULL;
CREATE UNIQUE INDEX campaign_task_technical ON campaign_task (account_id, campaign_id) WHERE is_technical;
CREATE UNIQUE INDEX campaign_task_ref ON campaign_task (account_id, campaign_id, task_ref) WHERE task_ref IS NOT NULL;
CREATE INDEX campaign_task_live ON campaign_task (account_id, campaign_id) WHERE state NOT IN ('over', 'foreign');
