-- A grant that was begun on a page is finished by the same browser: a stranger's consent is none of this person's.
-- Older processes finish it for any browser, as before.

ALTER TABLE oauth_state ADD COLUMN session_id text;  -- null: begun at the command line or by the API
