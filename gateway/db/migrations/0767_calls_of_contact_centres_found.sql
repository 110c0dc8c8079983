-- outside a transaction: the calls may be many and in use while their index is built.
-- Those that have just ended are asked about.
CREATE INDEX CONCURRENTLY IF NOT EXISTS call_of_contact_centre ON call (ended_at) WHERE campaign_task IS NOT NULL;
