-- Schedules: who works when. Named, with numbered versions that never change; saving publishes.

CREATE TABLE schedule (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    name       text NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),    -- the one that holds
    removed_at timestamptz,                            -- its versions stay, and their numbers go on where it comes back
    PRIMARY KEY (account_id, name)
);

CREATE TABLE schedule_version (
    account_id text NOT NULL,
    name       text NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),
    body       jsonb NOT NULL,                         -- routing.schedules.model.Schedule
    saved_at   timestamptz NOT NULL DEFAULT now(),
    saved_by   text NOT NULL,
    PRIMARY KEY (account_id, name, version),
    FOREIGN KEY (account_id, name) REFERENCES schedule ON DELETE CASCADE
);

CREATE FUNCTION callmatrix_schedule_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a saved version of a schedule is never changed';
END $$;
CREATE TRIGGER schedule_version_final BEFORE UPDATE ON schedule_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_schedule_is_final();

CREATE TRIGGER schedule_changed AFTER INSERT OR UPDATE OR DELETE ON schedule
    FOR EACH ROW EXECUTE FUNCTION callmatrix_account_config_changed();
