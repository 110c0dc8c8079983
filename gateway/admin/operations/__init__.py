"""What a person orders of work under way: the dead-letter desk, what was set aside."""
