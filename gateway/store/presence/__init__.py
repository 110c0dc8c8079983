"""SQL of who is at work."""
