"""All in one, to try: database, sandbox, gateway and worker with sample data."""
