"""What the Telegram bot says to employees, in each language."""
