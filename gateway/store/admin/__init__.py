"""SQL of accounts, connections, employees, users and matrices."""
