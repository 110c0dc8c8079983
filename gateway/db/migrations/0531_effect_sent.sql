-- outside a transaction: the journal of effects may be large and in use while its index is built.
-- What we wrote ourselves within a minute is no sign of the employee in whose name it stands.
CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_sent ON effect (account_id, sent_at) WHERE sent_at IS NOT NULL;
