"""SQL of the inbox of PBX events and of the jobs that work on it."""
