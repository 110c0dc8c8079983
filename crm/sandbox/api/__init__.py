"""The imitated API v4: routes, schemas, and what each resource answers."""
