"""Users and their rights, and who changed what."""
