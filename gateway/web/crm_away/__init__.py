"""Whether the CRM is away, for every page that says so."""
