"""The page that says what is found where."""
