"""Messenger channels as a person orders them: connected, changed, shared out among people, written in."""
