-- Who has signed in to the pages, where, and with what beside the password. Older processes let nobody sign in and read none of it.

ALTER TABLE admin_user
    ADD COLUMN language    text CHECK (language IN ('ru', 'en')),    -- null: as the browser asks
    ADD COLUMN theme       text NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark')),
    ADD COLUMN totp_secret text,             -- sealed; of the app that shows codes
    ADD COLUMN totp_on_at  timestamptz,      -- null: not asked for yet, the first code has not been shown
    ADD COLUMN totp_step   bigint;           -- the half minute of the last code that was taken: none is taken twice

CREATE TABLE recovery_code (
    login     text NOT NULL REFERENCES admin_user ON DELETE CASCADE,
    code_hash text NOT NULL,                 -- sha256; a row goes when its code is used
    PRIMARY KEY (login, code_hash)
);

CREATE TABLE page_session (
    session_id  text PRIMARY KEY,            -- names it in lists; opens nothing
    secret_hash text NOT NULL UNIQUE,        -- sha256 of what the browser keeps
    login       text NOT NULL REFERENCES admin_user ON DELETE CASCADE,
    stage       text NOT NULL CHECK (stage IN ('full', 'code', 'enrol')),  -- code: it is still to come; enrol: to be set up first
    is_by_link  boolean NOT NULL DEFAULT false,  -- begun without the password
    created_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,        -- some minute ago at most
    address     text NOT NULL DEFAULT '',
    agent       text NOT NULL DEFAULT '',    -- what the browser calls itself
    wrong_codes integer NOT NULL DEFAULT 0
);
CREATE INDEX page_session_login ON page_session (login);
CREATE INDEX page_session_seen ON page_session (seen_at);

CREATE TABLE sign_in_link (
    secret_hash text PRIMARY KEY,
    login       text NOT NULL REFERENCES admin_user ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL,
    is_local    boolean NOT NULL             -- taken on this machine only
);
CREATE INDEX sign_in_link_login ON sign_in_link (login);

-- Whoever may no longer what they might, or has another password, has to sign in anew, by whatever door it was changed.
CREATE FUNCTION callmatrix_end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM page_session WHERE login = NEW.login;
    DELETE FROM sign_in_link WHERE login = NEW.login;
    RETURN NULL;
END $$;
CREATE TRIGGER admin_user_is_another AFTER UPDATE ON admin_user
    FOR EACH ROW WHEN (
        (OLD.password_hash, OLD.role, OLD.account_id, OLD.employee, OLD.templates, OLD.schedules, OLD.counters, OLD.is_on)
        IS DISTINCT FROM
        (NEW.password_hash, NEW.role, NEW.account_id, NEW.employee, NEW.templates, NEW.schedules, NEW.counters, NEW.is_on)
    ) EXECUTE FUNCTION callmatrix_end_sessions();

-- Streams that a session holds open end with it, in every process.
CREATE FUNCTION callmatrix_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callmatrix_sessions', OLD.session_id);
    RETURN NULL;
END $$;
CREATE TRIGGER page_session_ended AFTER DELETE ON page_session
    FOR EACH ROW EXECUTE FUNCTION callmatrix_session_ended();
