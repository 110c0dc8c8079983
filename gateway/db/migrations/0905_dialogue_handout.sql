-- A dialogue whose deal is handed out by a distribution template: the latest time that it was asked for.

CREATE TABLE dialogue_handout (
    account_id  text NOT NULL,
    dialogue_id bigint NOT NULL,
    key         text NOT NULL,                         -- of what is to be given: the same is given once
    template    text NOT NULL,
    deal        jsonb NOT NULL,                        -- routing.client.Ref: by id, or by the effect that makes it
    asked_at    timestamptz NOT NULL,                  -- since when the client waits
    item_id     text,                                  -- distribution_item; NULL: the CRM has not told of the deal yet
    PRIMARY KEY (account_id, dialogue_id),
    FOREIGN KEY (account_id, dialogue_id) REFERENCES dialogue ON DELETE CASCADE
);
CREATE INDEX dialogue_handout_left ON dialogue_handout (asked_at) WHERE item_id IS NULL;
CREATE INDEX dialogue_handout_item ON dialogue_handout (account_id, item_id) WHERE item_id IS NOT NULL;

-- A dialogue follows whom the CRM names for its deal.
CREATE INDEX dialogue_deal ON dialogue (account_id, (deal->>'id')) WHERE deal->>'id' IS NOT NULL;
