"""SQL of the figures that status and metrics show."""
