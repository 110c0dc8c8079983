-- Of a call that the gateway ordered: its id of the attempt, as the PBX repeated it. The dialler finds the call by it.
ALTER TABLE call ADD COLUMN attempt_id text;
CREATE INDEX call_attempt ON call (account_id, attempt_id) WHERE attempt_id IS NOT NULL;
