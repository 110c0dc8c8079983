"""A manager's own day."""
