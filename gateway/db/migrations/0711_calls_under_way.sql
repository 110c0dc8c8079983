-- outside a transaction: the calls may be many and in use while their index is built.
-- Who talks or is rung now, asked before each call that goes out.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_under_way ON call (account_id, started_at) WHERE NOT is_over;
