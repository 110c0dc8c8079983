-- outside a transaction: the inbox may be large and in use while its index is built.
-- When each connection was last heard of is one step in it, whatever lies between: the status asks all the time.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbox_heard ON inbox (account_id, connection_id, received_at);
