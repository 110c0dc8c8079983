"""The worker process and its upkeep."""
