"""The type of a connection that rows are read and written through, taken from the pool or made by itself."""

from __future__ import annotations

from runtime.database.pool import Conn

__all__ = ["Conn"]
