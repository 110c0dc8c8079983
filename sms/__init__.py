"""SMS templates and providers, and the messenger channels. Imports routing only."""
