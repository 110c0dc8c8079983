"""One program per foreign client: it drives the client and prints a line of JSON per operation."""
