-- Decisions of one run have one time; this is the order in which they were taken.
ALTER TABLE decision ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
