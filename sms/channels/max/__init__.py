"""MAX, the Russian messenger: a bot, as its own API (dev.max.ru) has it."""
