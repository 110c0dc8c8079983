"""Decisions stored and imagined, as resources."""
