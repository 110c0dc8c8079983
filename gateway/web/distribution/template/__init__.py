"""One template: its form, what it says beside, its stages, and how deals would be shared by it."""
