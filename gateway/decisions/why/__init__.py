"""Why it was decided so, in one sentence that says who, because of what, and what is left to do."""
