"""Tries to sign in, as rows: what went wrong before, of a login, an address, the two together, and the codes of a login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from runtime.database import locks
from runtime.database.pool import Conn

TryKind = Literal["login", "address", "pair", "code"]
"""code: of the second factor of a login."""

FAILURES_MATTER = timedelta(hours=1)
SIGNED_IN_MATTERS = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """failures: in a row. signed_in_at: when this went well before; of a pair only."""

    failures: int = 0
    last_at: datetime | None = None
    signed_in_at: datetime | None = None


async def lock_tries(conn: Conn, keys: Mapping[TryKind, str]) -> None:
    """Nobody else tries with these until the transaction ends, whether there are rows or not."""
    for kind in sorted(keys):
        await locks.take(conn, locks.sign_in(kind, keys[kind]))


async def tries_of(conn: Conn, keys: Mapping[TryKind, str]) -> tuple[datetime, dict[TryKind, Tries]]:
    """Return the database's time, and what is known of each."""
    now: datetime = await conn.fetchval("SELECT clock_timestamp()")
    found: dict[TryKind, Tries] = {kind: Tries() for kind in keys}
    for row in await conn.fetch(
        "SELECT kind, failures, last_at, signed_in_at FROM sign_in_try"
        " WHERE (kind, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
        list(keys),
        list(keys.values()),
    ):
        found[row["kind"]] = Tries(
            failures=row["failures"], last_at=row["last_at"], signed_in_at=row["signed_in_at"]
        )
    return now, found


async def set_failures(conn: Conn, kind: TryKind, key: str, failures: int) -> None:
    await conn.execute(
        "INSERT INTO sign_in_try (kind, key, failures, last_at) VALUES ($1, $2, $3, clock_timestamp())"
        " ON CONFLICT (kind, key) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at",
        kind,
        key,
        failures,
    )


async def take_back_failure(conn: Conn, kind: TryKind, key: str) -> None:
    """Count one less: it was none after all."""
    await conn.execute(
        "UPDATE sign_in_try SET failures = greatest(failures - 1, 0) WHERE kind = $1 AND key = $2", kind, key
    )


async def note_signed_in(conn: Conn, keys: Mapping[TryKind, str]) -> None:
    """Forget what went wrong with this login, and remember where it went well."""
    await conn.execute("DELETE FROM sign_in_try WHERE kind = 'login' AND key = $1", keys["login"])
    await conn.execute(
        "INSERT INTO sign_in_try (kind, key, signed_in_at) VALUES ('pair', $1, now())"
        " ON CONFLICT (kind, key) DO UPDATE SET failures = 0, last_at = now(), signed_in_at = now()",
        keys["pair"],
    )


async def forget_old_tries(conn: Conn, *, limit: int) -> int:
    """How many rows were removed, a batch at most."""
    done: str = await conn.execute(
        "DELETE FROM sign_in_try WHERE (kind, key) IN (SELECT kind, key FROM sign_in_try"
        " WHERE last_at < now() - $1::interval AND (signed_in_at IS NULL OR signed_in_at < now() - $2::interval)"
        " LIMIT $3)",
        FAILURES_MATTER,
        SIGNED_IN_MATTERS,
        limit,
    )
    return int(done.split()[-1])
