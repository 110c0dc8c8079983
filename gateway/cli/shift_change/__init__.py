"""`shift`: what is set for shift change, and moves of employees' deals."""
