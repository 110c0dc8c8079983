"""Stored or imagined decisions, read again. Writes nothing."""
