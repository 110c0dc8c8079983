"""Sentences of distribution: what became of what was to be given, and why shares are uneven."""
