"""Sentences about what goes out to clients."""
