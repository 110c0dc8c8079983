-- The matrices of accounts: immutable numbered versions, and one draft that people edit.

CREATE TABLE matrix_version (
    account_id   text NOT NULL REFERENCES account ON DELETE CASCADE,
    version      bigint NOT NULL CHECK (version > 0),
    body         jsonb NOT NULL,            -- routing.matrix.Matrix without its version
    published_at timestamptz NOT NULL DEFAULT now(),
    published_by text NOT NULL,
    why          text NOT NULL DEFAULT '',
    restored     bigint,                    -- the version whose body this is, after a roll-back
    PRIMARY KEY (account_id, version)
);

CREATE FUNCTION callmatrix_published_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published matrix version is never changed';
END $$;
CREATE TRIGGER matrix_version_final BEFORE UPDATE ON matrix_version
    FOR EACH ROW EXECUTE FUNCTION callmatrix_published_is_final();

CREATE TABLE matrix_draft (
    account_id text PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    body       jsonb,                       -- null: nobody has changed anything since the last version was published
    revision   bigint NOT NULL,             -- grows with every save, publication and reset; who saves names the one he saw
    based_on   bigint NOT NULL,             -- the version that was current when the draft was begun
    saved_at   timestamptz NOT NULL DEFAULT now(),
    saved_by   text NOT NULL
);
