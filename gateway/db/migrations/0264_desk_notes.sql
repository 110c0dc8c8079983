-- What a person said when ignoring a call or case that could not be decided.

ALTER TABLE call ADD COLUMN aside_note text;
ALTER TABLE missed_case ADD COLUMN aside_note text;
