-- Every change of configuration is told to all processes: they read it again.

CREATE FUNCTION callmatrix_config_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_config', TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE TRIGGER account_changed AFTER INSERT OR UPDATE OR DELETE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_config_changed();
CREATE TRIGGER connection_changed AFTER INSERT OR UPDATE OR DELETE ON connection
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_config_changed();
CREATE TRIGGER employee_changed AFTER INSERT OR UPDATE OR DELETE ON employee
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_config_changed();
CREATE TRIGGER crm_user_changed AFTER INSERT OR UPDATE OR DELETE ON crm_user
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_config_changed();
CREATE TRIGGER api_token_changed AFTER INSERT OR DELETE ON api_token
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_config_changed();
