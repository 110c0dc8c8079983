"""Commands that change, or take away, what is connected and who works with it."""
