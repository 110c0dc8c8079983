"""The second step of `init`: a key that seals the secrets in the database before the first of them is stored there."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.cli.output import run
from gateway.serve import configured_pool
from gateway.settings import Settings
from runtime.database.pool import Conn
from runtime.database.sealed_columns import keys_of, use_key, used_keys
from runtime.database.sealing import SealingError, key_ring, new_key
from runtime.failure import Failure

FILE = Path("callmatrix-secrets.key")


def secrets_key(guide: FirstUse) -> InitOutcome:
    talk = guide.talk
    if ids := _configured():
        talk.say("secrets.found", key=ids[0])
        return "found"
    if missing := guide.on_database(_keys_in_use):
        talk.say("secrets.missing", keys=", ".join(missing))
        return "left"
    if not talk.agree("secrets.make?", file=str(FILE.resolve())):
        talk.say("secrets.left")
        return "left"
    file = FILE.resolve()
    try:
        _make(file)
    except OSError as err:
        talk.say("secrets.not-made", file=str(file), error=str(err))
        return "left"
    guide.remember("CALLMATRIX_SECRETS_KEY_FILE", str(file))
    run(_seal())
    talk.say("secrets.made", key=key_ring(None, file).ids[0], file=str(file))
    return "done"


def _configured() -> tuple[str, ...]:
    """Return the names of the keys that this process has. Raises Failure where they cannot be read."""
    try:
        return tuple(Settings().key_ring().ids)
    except SealingError as err:
        raise Failure(str(err), err.code, err.remedy) from err


async def _keys_in_use(conn: Conn) -> list[str]:
    """Names of the keys that this database has: a new one would open nothing of theirs, and theirs nothing of the new one's."""
    return await used_keys(conn)


def _make(file: Path) -> None:
    """Write a new key, readable by its owner only. One that an interrupted run has left there stays. Raises OSError."""
    if file.exists():
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(f"{new_key()}\n")


async def _seal() -> None:
    """Seal what stands in plain text, and note the key as this database's, whether or not anything is sealed yet."""
    async with configured_pool(Settings(), "callmatrix init", 1) as pool, pool.acquire() as conn:
        await use_key(conn, keys_of(conn).ids[0])
