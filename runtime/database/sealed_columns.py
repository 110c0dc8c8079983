"""Sealed secrets in rows: each connection carries the keys of its process, so that only a store sees what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import structlog

from runtime.database.pool import Conn
from runtime.database.sealing import NO_KEYS, KeyRing, Place, SealingError, SecretsKeyMissing

log = structlog.get_logger(__name__)


def keys_of(conn: Conn) -> KeyRing:
    """Return the keys that the pool of this connection was opened with."""
    keys: KeyRing = getattr(conn, "keys", NO_KEYS)
    return keys


async def sealed(conn: Conn, place: Place, row: Sequence[str], text: str) -> str:
    """Return what is to be stored. Raises SecretsKeyMissing where others seal here and this process has no key, or one
    that is new here without theirs: a secret in plain text or of another key among sealed ones is nobody's intention."""
    keys = keys_of(conn)
    known = await used_keys(conn)
    if known and not (keys and keys.ids[0] in known) and (missing := keys.missing(known)):
        raise SecretsKeyMissing(missing)
    if keys:
        await use_key(conn, keys.ids[0])
    return keys.seal(place, row, text)


async def sealed_map(
    conn: Conn, place: Place, row: Sequence[str], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Seal each value, bound to its name too."""
    return {name: await sealed(conn, place, (*row, name), text) for name, text in secrets.items()}


def opened(conn: Conn, place: Place, row: Sequence[str], stored: str) -> str:
    """Return the secret. Raises SealingError."""
    return keys_of(conn).open(place, row, stored)


def opened_or_none(conn: Conn, place: Place, row: Sequence[str], stored: str | None) -> str | None:
    """Return the secret, None where it cannot be opened: one spoilt row must not hold up all others. `check` tells it."""
    if stored is None:
        return None
    try:
        return opened(conn, place, row, stored)
    except SealingError as err:
        log.warning("secret-unreadable", place=place.name(row), code=err.code)
        return None


def opened_map(conn: Conn, place: Place, row: Sequence[str], stored: Mapping[str, str]) -> dict[str, str]:
    """Without those that cannot be opened, as if they had not been set."""
    found = {name: opened_or_none(conn, place, (*row, name), text) for name, text in stored.items()}
    return {name: text for name, text in found.items() if text is not None}


async def use_key(conn: Conn, key_id: str) -> None:
    """Note that secrets are sealed with it from now on."""
    await conn.execute("INSERT INTO secret_key (key_id) VALUES ($1) ON CONFLICT DO NOTHING", key_id)


async def used_keys(conn: Conn) -> list[str]:
    """Ids of the keys that anything was ever sealed with here, the newest first."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT key_id FROM secret_key ORDER BY first_used_at DESC, key_id"
    )
    return [row["key_id"] for row in rows]
