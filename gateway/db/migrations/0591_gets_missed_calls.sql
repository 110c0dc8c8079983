-- Whether templates give somebody missed calls of callers who are nobody's yet.
ALTER TABLE employee ADD COLUMN gets_missed_calls boolean NOT NULL DEFAULT true;
