-- Users and tokens may start and stop the counters of certain employees, whatever their role. Empty: as the role says.
-- Older processes know nothing of it: to them the role alone decides.
ALTER TABLE admin_user ADD COLUMN counters text[] NOT NULL DEFAULT '{}';
ALTER TABLE api_token ADD COLUMN counters text[] NOT NULL DEFAULT '{}';

CREATE TRIGGER api_token_counters AFTER UPDATE OF counters ON api_token
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_tokens_changed();
