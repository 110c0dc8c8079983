"""SQL of decisions and of what they were taken with."""
