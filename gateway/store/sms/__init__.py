"""SMS providers, messages on their way, and what clients wrote, as rows."""
