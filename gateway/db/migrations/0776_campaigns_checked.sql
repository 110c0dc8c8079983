-- Triggers name campaigns, which come and finish: they are checked again at once, as with all that they name.

CREATE TRIGGER campaign_catalogue_rows AFTER INSERT OR DELETE ON campaign
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
CREATE TRIGGER campaign_catalogue_state AFTER UPDATE ON campaign
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION callmatrix_catalogue_changed();
