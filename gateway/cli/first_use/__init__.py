"""`init`: from nothing to the first call, step by step, in a terminal or by options."""
