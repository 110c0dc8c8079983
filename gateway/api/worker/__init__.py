"""Long tasks, as resources."""
