-- What templates of distribution name may go: they are checked again, as matrices are.

CREATE TRIGGER schedule_catalogue AFTER INSERT OR UPDATE OR DELETE ON schedule
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER distribution_version_catalogue AFTER INSERT ON distribution_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER distribution_attachment_catalogue AFTER INSERT OR UPDATE OR DELETE ON distribution_attachment
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER distribution_template_catalogue AFTER UPDATE ON distribution_template
    FOR EACH ROW WHEN ((OLD.version, OLD.removed_at) IS DISTINCT FROM (NEW.version, NEW.removed_at))
    EXECUTE FUNCTION callmatrix_catalogue_changed();
