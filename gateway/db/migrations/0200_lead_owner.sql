-- Of a lead: when the deal inside it was last read, whose owner is the lead's. Lists of leads do not tell that owner; it is
-- read in the background, and what was read is not overwritten by the next list.
ALTER TABLE directory_entity ADD COLUMN owner_read_at timestamptz;
