-- More of what changes while a person looks on: deals that are given, what goes out, people, long work, alarms.

CREATE TRIGGER distribution_item_added AFTER INSERT ON distribution_item REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_rows_added('distribution');
CREATE TRIGGER distribution_item_changed AFTER UPDATE ON distribution_item
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.employee_id IS DISTINCT FROM NEW.employee_id
        OR OLD.taken_at IS DISTINCT FROM NEW.taken_at OR OLD.reason IS DISTINCT FROM NEW.reason)
    EXECUTE FUNCTION callmatrix_row_changed('distribution');
CREATE TRIGGER shift_run_changed AFTER INSERT OR UPDATE ON shift_run
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('distribution');

-- A campaign brings thousands at once.
CREATE TRIGGER outbound_item_added AFTER INSERT ON outbound_item REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_rows_added('outbound');
CREATE TRIGGER outbound_item_changed AFTER UPDATE ON outbound_item
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION callmatrix_row_changed('outbound');
CREATE TRIGGER outbound_attempt_changed AFTER INSERT OR UPDATE OF state ON outbound_attempt
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('outbound');
CREATE TRIGGER outbound_pace_changed AFTER INSERT OR UPDATE ON outbound_pace
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('outbound');
CREATE TRIGGER campaign_changed AFTER INSERT OR DELETE OR UPDATE ON campaign
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('outbound');

CREATE TRIGGER employee_told AFTER INSERT OR DELETE OR UPDATE ON employee
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('people');

-- Progress is written every now and then; whoever looks on is told of each.
CREATE TRIGGER long_work_changed AFTER INSERT OR UPDATE OF state, done, total ON long_work
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('tasks');

-- An alarm is opened, or over. '' is the installation's, which everybody hears.
CREATE TRIGGER alert_state_added AFTER INSERT OR DELETE ON alert_state
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('findings');
CREATE TRIGGER alert_state_changed AFTER UPDATE ON alert_state
    FOR EACH ROW WHEN (OLD.told_at IS DISTINCT FROM NEW.told_at OR OLD.over_at IS DISTINCT FROM NEW.over_at)
    EXECUTE FUNCTION callmatrix_row_changed('findings');
