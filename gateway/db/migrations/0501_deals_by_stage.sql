-- outside a transaction: tables that may be large and in use go on being written while their indexes are built.
-- Which deals stand in a stage, and how many open ones somebody has.
CREATE INDEX CONCURRENTLY IF NOT EXISTS directory_entity_stage
    ON directory_entity (account_id, pipeline_id, stage_id, created_at, entity_id) WHERE kind = 'deal' AND is_open;
CREATE INDEX CONCURRENTLY IF NOT EXISTS directory_entity_owner
    ON directory_entity (account_id, owner_id, pipeline_id) WHERE kind = 'deal' AND is_open;
