"""OAuth and access tokens of the imitated CRM."""
