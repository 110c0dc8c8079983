-- The list of places is kept once for each statement that writes pipelines, not once for each of its rows.
-- An older program writes them one by one and still leaves the whole list with its last one.

DROP TRIGGER crm_pipeline_kept ON crm_pipeline;

CREATE OR REPLACE FUNCTION callmatrix_places_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crm_places_then (account_id, since, pipelines)
    SELECT p.account_id, now(), jsonb_agg(to_jsonb(p) - 'account_id') FROM crm_pipeline p
    WHERE p.account_id IN (SELECT account_id FROM added INTERSECT SELECT account_id FROM account)
    GROUP BY p.account_id
    ON CONFLICT (account_id, since) DO UPDATE SET pipelines = excluded.pipelines;
    RETURN NULL;
END $$;

CREATE TRIGGER crm_pipeline_kept AFTER INSERT ON crm_pipeline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_places_changed();
