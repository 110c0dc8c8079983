"""A connected CRM as a resource: health, exchanges, load, backfill, dead letters."""
