"""What a person orders of what goes out: whom nobody calls, the settings, the queue and its items."""
