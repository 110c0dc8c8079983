"""What a person orders of SMS: providers connected, tried and removed, texts previewed, messages looked at."""
