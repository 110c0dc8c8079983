"""Shift change: what is set, moves of people's deals, and each move deal by deal."""
