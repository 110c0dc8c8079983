-- What came of a campaign's attempts, by hour: counted as they end, since attempts are forgotten with their items, and so that
-- the figures of 100,000 members cost no more than those of ten.

CREATE TABLE campaign_hour (
    account_id  text NOT NULL,
    campaign_id text NOT NULL,
    hour        timestamptz NOT NULL,                  -- when it was placed, UTC
    side        text NOT NULL,
    reason      text NOT NULL,
    n           bigint NOT NULL,
    PRIMARY KEY (account_id, campaign_id, hour, side, reason),
    FOREIGN KEY (account_id, campaign_id) REFERENCES campaign ON DELETE CASCADE
);

-- What was unknown may be settled later: it is counted where it belongs then.
CREATE FUNCTION callmatrix_campaign_attempt_over() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was_over boolean := OLD.state = 'over';
    of_campaign text;
BEGIN
    UPDATE campaign_member SET tries = tries + CASE WHEN was_over THEN 0 ELSE 1 END
    WHERE account_id = NEW.account_id AND item_id = NEW.item_id RETURNING campaign_id INTO of_campaign;
    IF of_campaign IS NULL THEN
        RETURN NULL;
    END IF;
    IF was_over THEN
        UPDATE campaign_hour SET n = n - 1 WHERE account_id = NEW.account_id AND campaign_id = of_campaign
            AND hour = date_trunc('hour', NEW.placed_at, 'UTC') AND side = coalesce(OLD.side, 'unknown')
            AND reason = coalesce(OLD.reason, '');
    END IF;
    INSERT INTO campaign_hour AS h (account_id, campaign_id, hour, side, reason, n)
    VALUES (NEW.account_id, of_campaign, date_trunc('hour', NEW.placed_at, 'UTC'), coalesce(NEW.side, 'unknown'),
        coalesce(NEW.reason, ''), 1)
    ON CONFLICT (account_id, campaign_id, hour, side, reason) DO UPDATE SET n = h.n + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER outbound_attempt_campaign AFTER UPDATE OF state, side, reason ON outbound_attempt
    FOR EACH ROW WHEN (NEW.kind = 'campaign' AND NEW.state = 'over' AND NEW.placed_at IS NOT NULL
        AND (OLD.state, OLD.side, OLD.reason) IS DISTINCT FROM (NEW.state, NEW.side, NEW.reason))
    EXECUTE FUNCTION callmatrix_campaign_attempt_over();

-- A whole campaign is cleared at once: its members follow in one statement.
DROP TRIGGER outbound_item_campaign ON outbound_item;
CREATE OR REPLACE FUNCTION callmatrix_campaign_member_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign_member m SET state = n.state, reason = n.reason, ended_at = n.ended_at
    FROM after_it n JOIN before_it o USING (account_id, item_id)
    WHERE n.campaign IS NOT NULL AND (o.state, o.reason) IS DISTINCT FROM (n.state, n.reason)
        AND m.account_id = n.account_id AND m.item_id = n.item_id;
    RETURN NULL;
END $$;
CREATE TRIGGER outbound_item_campaign AFTER UPDATE ON outbound_item REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_campaign_member_follows();
