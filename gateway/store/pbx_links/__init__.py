"""SQL of route commands and reconciliation runs."""
