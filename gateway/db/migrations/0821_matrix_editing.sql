-- Several people edit one draft: its latest revisions, from which two saves are put together, and who has it open.

CREATE TABLE matrix_draft_saved (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    revision   bigint NOT NULL,
    body       jsonb,                       -- null: as the version based_on
    based_on   bigint NOT NULL,
    saved_at   timestamptz NOT NULL,
    saved_by   text NOT NULL,
    PRIMARY KEY (account_id, revision)
);

-- Whoever saves a draft, an older program too, leaves its revision here; the oldest go.
CREATE FUNCTION callmatrix_draft_saved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO matrix_draft_saved (account_id, revision, body, based_on, saved_at, saved_by)
    VALUES (NEW.account_id, NEW.revision, NEW.body, NEW.based_on, NEW.saved_at, NEW.saved_by)
    ON CONFLICT (account_id, revision) DO UPDATE SET body = excluded.body, based_on = excluded.based_on,
        saved_at = excluded.saved_at, saved_by = excluded.saved_by;
    DELETE FROM matrix_draft_saved WHERE account_id = NEW.account_id AND revision <= NEW.revision - 200;
    RETURN NULL;
END $$;
CREATE TRIGGER matrix_draft_kept AFTER INSERT OR UPDATE ON matrix_draft
    FOR EACH ROW EXECUTE FUNCTION callmatrix_draft_saved();
INSERT INTO matrix_draft_saved SELECT account_id, revision, body, based_on, saved_at, saved_by FROM matrix_draft;

CREATE TABLE matrix_editor (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    who        text NOT NULL,
    place      text NOT NULL DEFAULT '',    -- the cell that is open, "" = none
    opened_at  timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, who)
);

CREATE TRIGGER matrix_draft_changed AFTER INSERT OR UPDATE ON matrix_draft
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('matrix');
CREATE TRIGGER matrix_version_changed AFTER INSERT ON matrix_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('matrix');
CREATE TRIGGER matrix_trial_changed AFTER INSERT OR UPDATE ON matrix_trial
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('matrix');
CREATE TRIGGER matrix_editor_changed AFTER INSERT OR DELETE OR UPDATE OF place ON matrix_editor
    FOR EACH ROW EXECUTE FUNCTION callmatrix_row_changed('matrix');
