-- Whose a deal was when it was first seen.
ALTER TABLE directory_entity ADD COLUMN first_owner_id text;
