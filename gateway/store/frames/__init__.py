"""Pages of ours within the CRM."""
