"""Numbers in any spelling become E.164, an extension, or no number with the reason why."""
