"""SQL of long tasks."""
