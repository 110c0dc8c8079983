"""Triggers, what they fired on, and what is to go out because of them, as rows."""
