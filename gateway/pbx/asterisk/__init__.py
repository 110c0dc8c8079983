"""Asterisk: AMI and FastAGI as values (`wire.py`, `agi.py`), its legs turned into calls (`legs.py`), the HTTP question of
the dialplan (`adapter.py`). The permanent links stand apart from all of these."""
