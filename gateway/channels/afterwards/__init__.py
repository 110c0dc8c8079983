"""What of messengers is read afterwards: what came while nobody listened, and what could not be read the first time."""
