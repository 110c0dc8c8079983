-- Calls of campaigns whose topics and comments are asked of the PBX for an hour.

CREATE TABLE campaign_topic (
    account_id  text NOT NULL,
    call_id     text NOT NULL,
    campaign_id text NOT NULL,
    item_id     text NOT NULL,
    connection  text NOT NULL,
    call_key    text NOT NULL,
    client      text NOT NULL,                         -- E.164
    employee_id text,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL,
    next_ask_at timestamptz,                           -- NULL: it was the last time
    asks        integer NOT NULL DEFAULT 0,
    topics      jsonb NOT NULL DEFAULT '[]',
    comment     text NOT NULL DEFAULT '',
    has_deal    boolean NOT NULL DEFAULT false,        -- it was ordered
    made_deal   text,                                  -- the matrix made it for this call: key of that effect
    error       text NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, call_id),
    FOREIGN KEY (account_id, campaign_id) REFERENCES campaign ON DELETE CASCADE
);
CREATE INDEX campaign_topic_due ON campaign_topic (next_ask_at) WHERE next_ask_at IS NOT NULL;
CREATE INDEX campaign_topic_age ON campaign_topic (account_id, ended_at);
CREATE INDEX outbound_attempt_campaigns ON outbound_attempt (over_at) WHERE kind = 'campaign';
