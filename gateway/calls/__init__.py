"""One client's events become calls, decisions and effects, in one transaction. The rules stand in `routing/`."""
