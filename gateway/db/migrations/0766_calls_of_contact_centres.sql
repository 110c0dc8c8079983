-- Of a call that a contact centre's campaign made: the id of its number there, by which the campaign is known.
ALTER TABLE call ADD COLUMN campaign_task text;
