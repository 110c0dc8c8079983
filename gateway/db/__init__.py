"""The database: pool, embedded PostgreSQL, migrations. No SQL of the product's data lives here but in migrations/."""
