"""SQL of distribution: templates and where they apply, what is given, the ledgers of turns, schedules."""
