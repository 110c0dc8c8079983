-- What the journal of calls is asked by. people: employees who took part, as it was known then; null: stored before it was kept.
ALTER TABLE call ADD COLUMN people text[];
ALTER TABLE call ADD COLUMN is_by_unknown boolean NOT NULL DEFAULT false; -- answered where nobody mapped to the CRM is
-- The PBX's question about this call. lookup_by: id (it named the call) or time (same client and line, the same seconds).
ALTER TABLE call ADD COLUMN lookup_id text;
ALTER TABLE call ADD COLUMN lookup_reason text;
ALTER TABLE call ADD COLUMN lookup_by text;
