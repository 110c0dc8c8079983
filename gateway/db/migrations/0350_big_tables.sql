-- outside a transaction: tables that may be large and in use go on being written while their indexes are built.
-- Whoever asks for something of a journal of a million calls has it in milliseconds.

-- The latest of a kind, and of all kinds: there are a handful.
CREATE INDEX CONCURRENTLY IF NOT EXISTS decision_kind ON decision (account_id, kind, at, seq);
-- Sorted to the end: who sorts by it afterwards has to read all that a client ever had.
CREATE INDEX CONCURRENTLY IF NOT EXISTS decision_client_order ON decision (account_id, client, at, seq);
DROP INDEX CONCURRENTLY IF EXISTS decision_client;
DROP INDEX CONCURRENTLY IF EXISTS decision_at;
-- What became of a missed-call case, among all that was ever decided for its client.
CREATE INDEX CONCURRENTLY IF NOT EXISTS decision_case ON decision (account_id, client) WHERE kind = 'case';

CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_decision ON effect (account_id, decision_id);
-- What a client is still promised, and who has nothing left to wait for.
CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_creating ON effect (account_id, client)
    WHERE what IN ('create_contact', 'create_deal', 'create_lead');
CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_open_client ON effect (account_id, client, what, seq)
    WHERE state IN ('waiting', 'sending', 'unknown', 'held', 'dead');

-- The talk with a client that ended last, however many there were.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_reached ON call (account_id, client, coalesce(ended_at, 'infinity'))
    WHERE answered_at IS NOT NULL AND direction <> 'internal';
DROP INDEX CONCURRENTLY IF EXISTS call_answered;
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_due_client ON call (account_id, client) WHERE due_at IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS missed_case_closed ON missed_case (account_id, closed_at) INCLUDE (waited_seconds)
    WHERE closed_at IS NOT NULL;

-- What is emptied or deleted when its days are over is found by its age, and what was emptied is not looked at again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_emptied ON call (account_id, emptied, started_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_age ON effect (account_id, ((client = '')::integer), created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS missed_case_age ON missed_case (account_id, ((client = '')::integer), last_missed_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbox_raw ON inbox (account_id, received_at)
    WHERE raw <> '' AND state IN ('applied', 'ignored');

-- Of what an index computes there are no statistics until then.
ANALYZE call;
ANALYZE effect;
ANALYZE missed_case;
