-- Of a call that we made and nobody talked in: whose side it was. Journals tell an employee who did not pick up from a
-- client who did not. Null where the PBX does not tell, and for all other calls.
ALTER TABLE call ADD COLUMN failed_side text;
