"""A PostgreSQL to throw away, for tests and for what runs them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from gateway.db.embedded import EmbeddedPostgres

# To drop a database that is being cleaned just then, and to choose who of two is sacrificed in a deadlock.
_RIGHTS_OF_TESTS = 'GRANT pg_signal_backend TO "{role}"; GRANT SET ON PARAMETER deadlock_timeout TO "{role}"'


@contextmanager
def throwaway_server() -> Iterator[str]:
    """Its address, inside; without fsync."""
    folder = Path(tempfile.mkdtemp(prefix="callmatrix-test-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=False)
    try:
        url = server.start()
        asyncio.run(administer(server.owner_dsn, _RIGHTS_OF_TESTS.format(role=urlsplit(url).username)))
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def administer(url: str, sql: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(sql)
    finally:
        await conn.close()
