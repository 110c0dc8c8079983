"""Rows of what lets somebody in beside the password: second factors, and links that do so once."""
