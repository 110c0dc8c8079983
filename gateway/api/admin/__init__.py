"""What an admin sets up: accounts, connections, employees, tokens, matrices, files."""
