"""PBXs over real HTTP, with a real database behind them."""
