"""One folder per PBX. `wire.py` turns a vendor's bytes into our values and back, pure and strict; `adapter.py`
implements `port.py` with it. A vendor's words stop at its `wire.py`."""
