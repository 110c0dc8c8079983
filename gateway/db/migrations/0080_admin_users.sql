-- People who sign in to the pages. Passwords are stored as argon2 hashes.

CREATE TABLE admin_user (
    login         text PRIMARY KEY CHECK (login ~ '^[a-z0-9][a-z0-9._@+-]{0,99}$'),
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('admin', 'senior_manager', 'manager', 'read_only')),
    account_id    text REFERENCES account ON DELETE CASCADE,  -- null: every account
    password_hash text NOT NULL,
    is_on         boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now()
);
