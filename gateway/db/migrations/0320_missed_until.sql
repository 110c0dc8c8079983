-- A talk answers for a missed call only if it went on when that was given up, or came later: the end of the last one counts,
-- not its beginning. Null of older cases, and of those that the old process opens: then the beginning.
ALTER TABLE missed_case ADD COLUMN last_missed_until timestamptz;
