"""SMS templates, auto-callback, campaigns."""
