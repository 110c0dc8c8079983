"""One call: one that was, or one that is only tried."""
