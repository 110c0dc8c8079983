-- The staff's version grows with every change that a rule could see: people, and the CRM users they are mapped to.
-- Re-reading the same users from the CRM changes nothing.

CREATE FUNCTION callmatrix_staff_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET staff_version = staff_version + 1
    WHERE account_id IN (SELECT DISTINCT account_id FROM changed_rows);
    RETURN NULL;
END $$;

CREATE FUNCTION callmatrix_staff_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET staff_version = staff_version + 1
    WHERE account_id IN (SELECT account_id FROM (SELECT * FROM new_rows EXCEPT SELECT * FROM old_rows) AS changed);
    RETURN NULL;
END $$;

CREATE TRIGGER employee_added_version AFTER INSERT ON employee REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_staff_added();
CREATE TRIGGER employee_removed_version AFTER DELETE ON employee REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_staff_added();
CREATE TRIGGER employee_changed_version AFTER UPDATE ON employee
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_staff_changed();
CREATE TRIGGER crm_user_added_version AFTER INSERT ON crm_user REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_staff_added();
CREATE TRIGGER crm_user_removed_version AFTER DELETE ON crm_user REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_staff_added();
CREATE TRIGGER crm_user_changed_version AFTER UPDATE ON crm_user
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION callmatrix_staff_changed();
