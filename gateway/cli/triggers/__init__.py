"""Triggers and their firings at the command line."""
