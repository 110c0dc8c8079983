"""Narrow pages that are shown within the CRM."""
