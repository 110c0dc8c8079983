"""`campaign`: outbound campaigns at the command line."""
