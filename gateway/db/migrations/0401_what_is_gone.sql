-- Rows that say that something is no more go too, once nobody can need them.

-- Gateways hear from its row that a number leads to nobody. Such rows up to swept_seq are deleted, or may be at any time: a
-- gateway that knows less than that reads the directory anew. marked_seq: where the account stood at marked_at.
ALTER TABLE directory_state ADD COLUMN swept_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE directory_state ADD COLUMN marked_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE directory_state ADD COLUMN marked_at timestamptz;

-- The latest day, or nearly, on which lookups were answered by them.
ALTER TABLE lookup_rules ADD COLUMN used_at timestamptz NOT NULL DEFAULT now();
