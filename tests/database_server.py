"""A PostgreSQL to throw away, for tests and for what runs them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
import time
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

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 << 30
_PREFIX = "callmatrix-test-"
_STARTING_SECONDS = 3600


@contextmanager
def throwaway_server() -> Iterator[str]:
    """Its address, inside; without fsync."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_memory()))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=False)
    try:
        url = server.start()
        asyncio.run(administer(server.owner_dsn, _RIGHTS_OF_TESTS.format(role=urlsplit(url).username)))
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Where files take no disk, if there is room. Each test makes a database of a thousand files and removes it: on
    ext4 that costs eight times as much, since it looks long for a number of a file that was not used a moment ago."""
    with contextlib.suppress(OSError):
        _remove_what_killed_runs_left()
        if os.path.ismount(_MEMORY) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
            return _MEMORY
    return None


def _remove_what_killed_runs_left() -> None:
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        try:
            is_in_use = _is_in_use(folder)
        except FileNotFoundError:  # no server, or its owner removes it just now
            is_in_use = False
        except OSError:
            is_in_use = True
        if not is_in_use:
            shutil.rmtree(folder, ignore_errors=True)


def _is_in_use(folder: Path) -> bool:
    """Whether its server runs, or may be about to start: while a cluster is made, other processes come and go in it."""
    if time.time() - folder.stat().st_mtime < _STARTING_SECONDS:
        return True
    found = re.match(r"\d+", (folder / "postgres" / "postmaster.pid").read_text())
    return found is not None and Path("/proc", found[0]).exists()


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
