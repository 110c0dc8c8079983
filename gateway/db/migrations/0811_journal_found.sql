-- outside a transaction: the calls may be many and in use while their index is built.
-- All that the journal is asked by stands in the index: what is rare is found among 100,000 calls without reading one of them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_journal ON call (account_id, started_at, call_id)
    INCLUDE (client, line, connection_id, direction, is_over, answered_at, is_by_unknown, client_kind, people, lookup_reason);
DROP INDEX CONCURRENTLY IF EXISTS call_started;
ANALYZE call;
