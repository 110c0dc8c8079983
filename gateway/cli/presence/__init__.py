"""`presence`: who is at work."""
