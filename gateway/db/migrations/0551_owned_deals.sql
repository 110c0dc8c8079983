-- outside a transaction: tables that may be large and in use go on being written while their indexes are built.
-- The open deals of a person.
CREATE INDEX CONCURRENTLY IF NOT EXISTS directory_entity_owned ON directory_entity (account_id, owner_id)
    WHERE kind = 'deal' AND is_open;
