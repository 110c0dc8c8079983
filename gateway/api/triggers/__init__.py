"""Triggers and their firings over the API."""
