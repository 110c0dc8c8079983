"""Telegram's Bot API: a bot, its groups, and the business account that it is connected to."""
