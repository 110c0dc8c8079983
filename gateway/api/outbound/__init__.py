"""What goes out, over the API."""
