-- Outbound campaigns. Who is called by one are items of what goes out; "held" are those whose turn in their campaign has not
-- come: the dialler does not see them, and a campaign of 100,000 stands in nobody's way.

CREATE TABLE campaign (
    account_id  text NOT NULL REFERENCES account ON DELETE CASCADE,
    campaign_id text NOT NULL,
    name        text NOT NULL,
    version     bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    settings    jsonb NOT NULL,                        -- campaigns.model.CampaignSettings
    state       text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'planned', 'running', 'paused', 'stopping', 'finished')),
    reason      text NOT NULL DEFAULT '',              -- campaigns.states.CampaignReason
    starts_at   timestamptz,                           -- of one that is planned
    kept_open_at      timestamptz,                     -- the technical row: made, and taken out
    kept_open_removed timestamptz,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (account_id, campaign_id),
    UNIQUE (account_id, name)
);
CREATE INDEX campaign_at_work ON campaign (account_id) WHERE state IN ('planned', 'running', 'stopping');
-- Nothing leads back from the end.
CREATE FUNCTION callmatrix_campaign_is_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a campaign that has finished never runs again';
END $$;
CREATE TRIGGER campaign_over BEFORE UPDATE OF state ON campaign
    FOR EACH ROW WHEN (OLD.state = 'finished' AND NEW.state <> 'finished') EXECUTE FUNCTION callmatrix_campaign_is_over();

ALTER TABLE outbound_item DROP CONSTRAINT outbound_item_state_check;
ALTER TABLE outbound_item ADD CONSTRAINT outbound_item_state_check CHECK (state IN
    ('held', 'waiting', 'dialling', 'sending', 'succeeded', 'failed', 'expired', 'cleared', 'dropped', 'unknown'));
CREATE INDEX outbound_item_held ON outbound_item (account_id, campaign, priority, not_before, item_id) WHERE state = 'held';
CREATE INDEX outbound_item_to_add ON outbound_item (account_id, created_at) WHERE state = 'held' AND client IS NULL;
CREATE INDEX outbound_item_of_campaign ON outbound_item (account_id, campaign, state) WHERE campaign IS NOT NULL AND ended_at IS NULL;

-- One number is in a campaign once. state, reason: of its item, kept after the item is forgotten.
CREATE TABLE campaign_member (
    account_id  text NOT NULL,
    campaign_id text NOT NULL,
    number      text NOT NULL,                         -- E.164
    item_id     text NOT NULL,
    place       integer NOT NULL,
    name        text NOT NULL DEFAULT '',
    client_id   text NOT NULL DEFAULT '',              -- as the list calls the client
    data        jsonb NOT NULL DEFAULT '{}',           -- further columns of the list
    source      text NOT NULL CHECK (source IN ('list', 'trigger', 'api')),
    upload      text,                                  -- which list, by its content
    state       text NOT NULL DEFAULT 'held',
    reason      text NOT NULL DEFAULT '',
    tries       integer NOT NULL DEFAULT 0,
    engine_ref  text,                                  -- its task in an engine that is not ours
    added_at    timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (account_id, campaign_id, number),
    FOREIGN KEY (account_id, campaign_id) REFERENCES campaign ON DELETE CASCADE
);
CREATE UNIQUE INDEX campaign_member_item ON campaign_member (account_id, item_id);
CREATE INDEX campaign_member_state ON campaign_member (account_id, campaign_id, state, reason) INCLUDE (tries);
CREATE INDEX campaign_member_place ON campaign_member (account_id, campaign_id, place);
CREATE INDEX campaign_member_number ON campaign_member (account_id, number);

-- The number was there already: what becomes of the member holds for this item too.
CREATE TABLE campaign_link (
    account_id  text NOT NULL,
    item_id     text NOT NULL,
    campaign_id text NOT NULL,
    number      text NOT NULL,
    PRIMARY KEY (account_id, item_id),
    FOREIGN KEY (account_id, campaign_id, number) REFERENCES campaign_member ON DELETE CASCADE
);
CREATE INDEX campaign_link_member ON campaign_link (account_id, campaign_id, number);

CREATE FUNCTION callmatrix_campaign_member_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign_member SET state = NEW.state, reason = NEW.reason, ended_at = NEW.ended_at
    WHERE account_id = NEW.account_id AND item_id = NEW.item_id;
    RETURN NULL;
END $$;
CREATE TRIGGER outbound_item_campaign AFTER UPDATE OF state, reason ON outbound_item
    FOR EACH ROW WHEN (NEW.campaign IS NOT NULL AND (OLD.state, OLD.reason) IS DISTINCT FROM (NEW.state, NEW.reason))
    EXECUTE FUNCTION callmatrix_campaign_member_follows();
