"""Schedules: listed, made, painted by month and week, removed."""
