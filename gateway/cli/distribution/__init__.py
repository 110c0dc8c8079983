"""`distribution`: who gets a deal, at the command line."""
