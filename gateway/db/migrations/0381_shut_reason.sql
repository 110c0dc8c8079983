-- Why the CRM let an account in no more when a person switched it off: switched on again, it is broken as it was.
ALTER TABLE account ADD COLUMN shut_reason text;
