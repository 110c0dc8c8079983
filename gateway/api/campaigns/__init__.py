"""Campaigns and who is in them over the API."""
