"""What every endpoint needs of a request and an error. Knows no route."""
