-- When somebody talked with the client: closes cases, and tells whether a missed call was returned.

ALTER TABLE call ADD COLUMN answered_at timestamptz;
CREATE INDEX call_answered ON call (account_id, client, answered_at) WHERE answered_at IS NOT NULL;
