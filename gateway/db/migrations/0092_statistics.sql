-- ANALYZE runs often (gateway/db/statistics.py). Documents and payloads are never compared, and reading them for
-- statistics costs more than all other columns together.
DO $$
DECLARE place record;
BEGIN
    FOR place IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name NOT LIKE 'procrastinate%'
          AND (data_type IN ('jsonb', 'bytea') OR (table_name, column_name) IN
               (('directory_entry', 'candidates'), ('vendor_exchange', 'sent'), ('vendor_exchange', 'received'),
                ('effect', 'after'), ('effect', 'error_detail')))
          AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = current_schema())
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', place.table_name, place.column_name);
    END LOOP;
END $$;
