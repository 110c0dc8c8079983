"""One folder per SMS provider: `wire.py` turns bytes into our values and back, `adapter.py` speaks the port."""
