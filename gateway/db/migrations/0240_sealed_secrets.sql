-- Secrets are sealed by the program (AES-GCM), in the columns where they stood in plain text. Here only: with which keys.
-- A row is removed when nothing is sealed with its key any more.

CREATE TABLE secret_key (
    key_id        text PRIMARY KEY,         -- made of the key itself; says nothing about it
    first_used_at timestamptz NOT NULL DEFAULT now()
);
