-- What was counted last of a run: whoever looks on asks every second, and the run may be of 100,000 calls.
ALTER TABLE backfill_run ADD COLUMN counts jsonb;
ALTER TABLE backfill_run ALTER COLUMN counts SET STATISTICS 0;
ALTER TABLE backfill_run ADD COLUMN counted_until timestamptz;
