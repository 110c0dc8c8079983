"""How the installation fares, for check, status, pages and metrics."""
