"""What goes out, at the command line."""
