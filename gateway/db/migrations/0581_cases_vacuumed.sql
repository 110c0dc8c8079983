-- Figures of the week's closed cases are read from their index alone, as far as the table's pages are known to be settled.
-- By the usual share of a table, half a year's cases would be vacuumed every three weeks.
ALTER TABLE missed_case SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
