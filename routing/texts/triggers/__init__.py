"""What triggers say, in each language."""
