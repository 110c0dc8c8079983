"""Messenger channels set up: connected, their rules, and who reads and writes in which."""
