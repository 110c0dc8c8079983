"""The type of a connection that rows are read and written through, taken from the pool or made by itself."""

from __future__ import annotations

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Conn = asyncpg.Connection | PoolConnectionProxy
