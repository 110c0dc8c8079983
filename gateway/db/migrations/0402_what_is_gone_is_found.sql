-- outside a transaction: tables that may be large and in use go on being written while their indexes are built.
CREATE INDEX CONCURRENTLY IF NOT EXISTS directory_entry_gone ON directory_entry (account_id, seq) WHERE candidates = '';
CREATE INDEX CONCURRENTLY IF NOT EXISTS crm_entity_state_task ON crm_entity_state (at) WHERE entity_kind = 'task';
