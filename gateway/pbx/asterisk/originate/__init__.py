"""Calls that Asterisk makes at our order."""
