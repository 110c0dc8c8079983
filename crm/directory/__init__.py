"""Which number belongs to which entities and owners, in memory: what answers lookups, and what keeps it filled."""
