-- What changed is told by topic, "account topic" on callmatrix_changes, whoever changed it: pages and streams then read again.
-- The transaction that changes a row tells it, so that nothing is told of what was rolled back.

CREATE FUNCTION callmatrix_row_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The same text twice in one transaction is sent once, however many rows there are.
    PERFORM pg_notify('callmatrix_changes', coalesce(NEW.account_id, OLD.account_id) || ' ' || TG_ARGV[0]);
    RETURN NULL;
END $$;

-- The same once per statement, where many rows come together.
CREATE FUNCTION callmatrix_rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_changes', account_id || ' ' || TG_ARGV[0])
    FROM (SELECT DISTINCT account_id FROM added) AS told;
    RETURN NULL;
END $$;

-- A call that is looked at later (due_at alone) is still the same call.
CREATE TRIGGER call_added AFTER INSERT ON call
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('calls');
CREATE TRIGGER call_changed AFTER UPDATE OF facts ON call
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('calls');

CREATE TRIGGER missed_case_changed AFTER INSERT OR UPDATE ON missed_case
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('cases');

-- What is being sent is told with its outcome, a moment later.
CREATE TRIGGER effect_added AFTER INSERT ON effect
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('effects');
CREATE TRIGGER effect_changed AFTER UPDATE ON effect
    FOR EACH ROW WHEN (NEW.state <> 'sending') EXECUTE FUNCTION callmatrix_row_changed('effects');
CREATE TRIGGER backfill_run_changed AFTER INSERT OR UPDATE OF state ON backfill_run
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('effects');

-- Events of PBXs that wait, were worked on, or wait for a person.
CREATE TRIGGER inbox_accepted AFTER INSERT ON inbox REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_rows_added('work');
CREATE TRIGGER inbox_changed AFTER UPDATE OF state ON inbox
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('work');
-- Changes in the CRM that consumers have still to work on. A row goes when it is done.
CREATE TRIGGER crm_event_work_added AFTER INSERT ON crm_event_work REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_rows_added('work');
CREATE TRIGGER crm_event_work_changed AFTER UPDATE OR DELETE ON crm_event_work
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('work');

CREATE TRIGGER account_state_changed AFTER UPDATE OF state ON account
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION callmatrix_row_changed('findings');
