"""The call matrix: what it says, what it orders for a call, and how it is written and read."""
