"""From nothing to the first call."""
