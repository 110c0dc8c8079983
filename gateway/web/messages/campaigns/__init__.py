"""Campaigns: their list, one of them, its form, its numbers."""
