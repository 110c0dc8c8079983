"""Calls that go out by themselves: one is claimed, placed once, followed to its end, and what it came to is told to the CRM."""
