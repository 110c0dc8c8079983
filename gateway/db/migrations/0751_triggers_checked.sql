-- What triggers name may go: they are checked again, as matrices and templates are.

CREATE TRIGGER pipeline_trigger_version_catalogue AFTER INSERT ON pipeline_trigger_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER pipeline_trigger_catalogue AFTER UPDATE ON pipeline_trigger
    FOR EACH ROW WHEN ((OLD.version, OLD.removed_at, OLD.on_since) IS DISTINCT FROM (NEW.version, NEW.removed_at, NEW.on_since))
    EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER sms_connection_catalogue AFTER INSERT OR DELETE ON sms_connection
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
