"""Sabotages: safeguards that are taken out one by one, to see that a test notices. `make sabotage`; CONTRIBUTING.md."""
