"""A PostgreSQL to throw away, for tests and for what runs them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate

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


def migrated_template(server_url: str) -> str:
    """Make a migrated database that others are copied from; its name."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    asyncio.run(administer(server_url, f'CREATE DATABASE "{name}"'))
    asyncio.run(migrate(with_database(server_url, name)))
    return name


def with_database(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + "/" + name


async def administer(url: str, sql: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(sql)
    finally:
        await conn.close()
