"""Routes of who is at work."""
