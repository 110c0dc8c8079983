-- A change of configuration names its account: "table account". Processes then read that account again, not all of them.
-- A process of an older version reads everything at any notification; a newer one does so when no account is named.

CREATE FUNCTION callmatrix_account_config_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The same text twice in one transaction is sent once, however many rows there are.
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('callmatrix_config', TG_TABLE_NAME || ' ' || OLD.account_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('callmatrix_config', TG_TABLE_NAME || ' ' || NEW.account_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION callmatrix_tokens_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_config', 'api_token ');
    RETURN NULL;
END $$;

DROP TRIGGER account_changed ON account;
DROP TRIGGER connection_changed ON connection;
DROP TRIGGER employee_changed ON employee;
DROP TRIGGER crm_user_changed ON crm_user;
DROP TRIGGER api_token_changed ON api_token;

-- Also an account's row that is written as it was: that is how a new authorisation is told.
CREATE TRIGGER account_changed AFTER INSERT OR UPDATE OR DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION callmatrix_account_config_changed();
CREATE TRIGGER connection_changed AFTER INSERT OR UPDATE OR DELETE ON connection
    FOR EACH ROW EXECUTE FUNCTION callmatrix_account_config_changed();
CREATE TRIGGER employee_changed AFTER INSERT OR UPDATE OR DELETE ON employee
    FOR EACH ROW EXECUTE FUNCTION callmatrix_account_config_changed();
CREATE TRIGGER crm_user_added AFTER INSERT OR DELETE ON crm_user
    FOR EACH ROW EXECUTE FUNCTION callmatrix_account_config_changed();
CREATE TRIGGER crm_user_changed AFTER UPDATE ON crm_user
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION callmatrix_account_config_changed();
CREATE TRIGGER api_token_changed AFTER INSERT OR DELETE ON api_token
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_tokens_changed();
