"""What strangers can do to the doors of a running gateway."""
