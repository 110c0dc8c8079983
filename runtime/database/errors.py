"""What the database raises when it is away, restarting, slow or breaks off: all of it may pass by itself.

Named once for `crm` and for `gateway`, which may import from here but not the other way round.
"""

from __future__ import annotations

import asyncpg

DATABASE_ERRORS = (
    OSError,  # TimeoutError too
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that broke in the middle of a statement
)

DATABASE_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Of these those that say nothing of the statement: it could not be asked at all."""
