"""Shift change: the open deals of who went offline are split among those left, and come back: which, in what order, when."""
