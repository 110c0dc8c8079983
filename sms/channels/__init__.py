"""Messenger channels: chats with clients over somebody's service; `wire.py` turns bytes into our values, `adapter.py` speaks the port."""
