"""SMS over the API."""
