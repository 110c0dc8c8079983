"""Who is at work, as people see and switch it."""
