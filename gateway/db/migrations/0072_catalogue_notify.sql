-- A change of what matrices name (pipelines, fields, people, connections) or of the matrix itself: it is checked again.

CREATE FUNCTION callmatrix_catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_catalogue', coalesce(NEW.account_id, OLD.account_id));
    RETURN NULL;
END $$;

CREATE TRIGGER crm_pipeline_catalogue AFTER INSERT OR UPDATE OR DELETE ON crm_pipeline
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER crm_field_catalogue AFTER INSERT OR UPDATE OR DELETE ON crm_field
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER crm_user_catalogue AFTER INSERT OR UPDATE OR DELETE ON crm_user
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER employee_catalogue AFTER INSERT OR UPDATE OR DELETE ON employee
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER connection_catalogue AFTER INSERT OR UPDATE OR DELETE ON connection
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER matrix_version_catalogue AFTER INSERT ON matrix_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER crm_account_added_catalogue AFTER INSERT ON crm_account
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
-- It is written at every reading of the CRM's account; only these columns matter.
CREATE TRIGGER crm_account_catalogue AFTER UPDATE ON crm_account
    FOR EACH ROW WHEN ((OLD.is_unsorted_on, OLD.task_types) IS DISTINCT FROM (NEW.is_unsorted_on, NEW.task_types))
    EXECUTE FUNCTION callmatrix_catalogue_changed();
