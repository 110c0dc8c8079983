"""`channel`: messenger channels, and who may do what in them."""
