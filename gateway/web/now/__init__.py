"""Whether everything is well right now."""
