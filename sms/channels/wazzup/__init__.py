"""Wazzup, API v3: one key and one wire for the WhatsApp, Telegram, VK, Avito, MAX, Viber and Instagram accounts of a firm."""
