-- Users and tokens may be bound to one employee, and to templates and schedules by name. Empty lists: to all of them.
-- Older processes know the account's binding only, as before.

ALTER TABLE admin_user
    ADD COLUMN employee  text,              -- of the account that the user is bound to
    ADD COLUMN templates text[] NOT NULL DEFAULT '{}',
    ADD COLUMN schedules text[] NOT NULL DEFAULT '{}';
ALTER TABLE api_token
    ADD COLUMN employee  text,
    ADD COLUMN templates text[] NOT NULL DEFAULT '{}',
    ADD COLUMN schedules text[] NOT NULL DEFAULT '{}';

-- A token that is bound otherwise is another one to every process; that it was used is not.
CREATE TRIGGER api_token_bound AFTER UPDATE OF role, account_id, employee, templates, schedules, expires_at ON api_token
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_tokens_changed();
