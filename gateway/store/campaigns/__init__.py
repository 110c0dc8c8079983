"""Outbound campaigns as rows: what each is told, where it stands, who is in it, and whose turn has come."""
