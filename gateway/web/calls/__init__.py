"""The journal of calls, one call, and calls that are only tried."""
