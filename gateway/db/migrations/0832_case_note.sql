-- What a person wrote who closed a missed call by hand. Their texts may name the client: emptied with the rest of the case.
ALTER TABLE missed_case ADD COLUMN closed_note text NOT NULL DEFAULT '';
