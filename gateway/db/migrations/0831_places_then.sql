-- What pipelines and stages were called, and their colours, at the time of a decision: the whole list at each change.

ALTER TABLE crm_pipeline ADD COLUMN stage_colours jsonb NOT NULL DEFAULT '{}';  -- stage id -> as the CRM says it, '#99ccff'

CREATE TABLE crm_places_then (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    since      timestamptz NOT NULL,
    pipelines  jsonb NOT NULL,              -- array of rows of crm_pipeline
    PRIMARY KEY (account_id, since)
);

-- An older program, too, leaves the list here. Pipelines are written one by one in one transaction: the last row says all.
CREATE FUNCTION callmatrix_places_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_places_then (account_id, since, pipelines)
    SELECT NEW.account_id, now(), jsonb_agg(to_jsonb(p) - 'account_id') FROM crm_pipeline p
    WHERE p.account_id = NEW.account_id AND EXISTS (SELECT FROM account a WHERE a.account_id = NEW.account_id)
    HAVING count(*) > 0
    ON CONFLICT (account_id, since) DO UPDATE SET pipelines = excluded.pipelines;
    RETURN NULL;
END $$;
CREATE TRIGGER crm_pipeline_kept AFTER INSERT ON crm_pipeline
    FOR EACH ROW EXECUTE FUNCTION callmatrix_places_changed();
INSERT INTO crm_places_then SELECT account_id, now(), jsonb_agg(to_jsonb(p) - 'account_id')
FROM crm_pipeline p WHERE account_id IN (SELECT account_id FROM account) GROUP BY account_id;
