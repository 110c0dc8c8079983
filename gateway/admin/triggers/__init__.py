"""Triggers as people save them, and the firings that they made."""
