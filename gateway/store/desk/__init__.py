"""Everything of an account that was set aside, from the tables in which it stands."""
