"""SMS templates and providers, and the messenger channels. Imports runtime and routing only."""
