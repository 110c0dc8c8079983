-- A version on trial: it decides about part of the calls while another one is published. At most one at a time.

CREATE TABLE matrix_trial (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    version    bigint NOT NULL,
    against    bigint NOT NULL,             -- the version that is published meanwhile
    percent    integer CHECK (percent BETWEEN 1 AND 99),
    line       text,
    begun_at   timestamptz NOT NULL DEFAULT now(),
    begun_by   text NOT NULL,
    ended_at   timestamptz,
    ended_by   text,
    ended_why  text,
    outcome    text CHECK (outcome IN ('published', 'taken_back')),
    PRIMARY KEY (account_id, version),
    FOREIGN KEY (account_id, version) REFERENCES matrix_version ON DELETE CASCADE,
    CHECK ((percent IS NULL) <> (line IS NULL)),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX matrix_trial_one ON matrix_trial (account_id) WHERE outcome IS NULL;

-- Which side of a trial the call is on, for good; null: none ran when it was first seen with its client.
ALTER TABLE call ADD COLUMN trial jsonb;

-- The published version: the latest that is, or was, no trial, or whose trial ended with its publication.
CREATE FUNCTION callmatrix_published_matrix(of_account text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT max(v.version) FROM matrix_version v WHERE v.account_id = of_account AND NOT EXISTS (
        SELECT FROM matrix_trial t
        WHERE t.account_id = v.account_id AND t.version = v.version AND t.outcome IS DISTINCT FROM 'published')
$$;

CREATE TRIGGER matrix_trial_catalogue AFTER INSERT OR UPDATE ON matrix_trial
    FOR EACH ROW EXECUTE FUNCTION callmatrix_catalogue_changed();
