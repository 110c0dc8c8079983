"""The gateway process: the one place that wires it."""
