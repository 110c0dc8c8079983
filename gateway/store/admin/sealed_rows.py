"""Every secret that is kept to be used again, as rows: where they stand, with which key they are sealed, sealed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import asyncpg

from crm.kinds import TOKEN_SECRETS
from gateway.store.admin.accounts import CONNECTION_KEYS, WEBHOOK_SECRET
from gateway.store.channels.channels import CHANNEL_KEYS, CHANNEL_SECRET
from gateway.store.crm_accounts.webhooks import GRANT_SECRET
from gateway.store.crm_chats.channels import CRM_CHAT_SECRET
from gateway.store.sign_in.second_factors import TOTP_SECRET
from gateway.store.sms.connections import SMS_KEYS, SMS_REPORT_SECRET
from runtime.database.pool import Conn
from runtime.database.sealed_columns import keys_of, use_key
from runtime.database.sealing import PREFIX, Place, SealingError, key_id_of

PLACES: tuple[Place, ...] = (
    WEBHOOK_SECRET,
    *TOKEN_SECRETS,
    GRANT_SECRET,
    CONNECTION_KEYS,
    SMS_KEYS,
    SMS_REPORT_SECRET,
    CHANNEL_KEYS,
    CHANNEL_SECRET,
    CRM_CHAT_SECRET,
    TOTP_SECRET,
)
"""What is kept as a hash (tokens of the API, connections' own secrets, passwords) cannot be used again and is not here."""


async def key_counts(conn: Conn) -> dict[str | None, int]:
    """How many secrets are sealed with each key; None: in plain text."""
    rows = await conn.fetch(
        f"SELECT substring(value from '^{PREFIX}([^:]*):') AS key_id, count(*) AS count"  # noqa: S608 - of PLACES
        f" FROM ({' UNION ALL '.join(map(_values_of, PLACES))}) AS secret GROUP BY 1"
    )
    return {row["key_id"]: row["count"] for row in rows}


def _values_of(place: Place) -> str:
    if place.is_map:
        return f"SELECT value FROM {place.table}, jsonb_each_text({place.column})"  # noqa: S608 - of PLACES
    return f"SELECT {place.column} AS value FROM {place.table} WHERE {place.column} IS NOT NULL"  # noqa: S608


async def unreadable(conn: Conn) -> list[str]:
    """Name the secrets that the keys of this process do not open, for people."""
    keys, found = keys_of(conn), []
    for place in PLACES:
        for row in await conn.fetch(_all_of(place)):
            for bound, stored in _secrets(place, row):
                try:
                    keys.open(place, bound, stored)
                except SealingError:
                    found.append(place.name(bound))
    return found


async def seal_some(
    conn: Conn, place: Place, after: Sequence[str] | None, *, limit: int
) -> tuple[int, list[str] | None]:
    """Seal with the newest key what of this place is not; secrets that cannot be opened stay as they are.

    after: the row to go on after, None = from the first. Return how many rows were sealed, and the row to go on after,
    None at the end. A row that somebody changes meanwhile is left to them: they seal it themselves.
    """
    newest = keys_of(conn).ids[0]
    names = ", ".join(place.row)
    places = ", ".join(f"${i}" for i, _ in enumerate(place.row, 2))
    rows = await conn.fetch(
        f"{_all_of(place)} AND {_stale(place)} AND ({names}) > ({places}) ORDER BY {names} LIMIT {int(limit)}",
        f"{PREFIX}{newest}:%",
        *(after or [""] * len(place.row)),  # no name of a row is empty
    )
    await use_key(conn, newest)
    changed = 0
    for row in rows:
        changed += await _seal_row(conn, place, row, newest)
    last = rows[-1] if len(rows) == limit else None
    return changed, [last[name] for name in place.row] if last else None


async def _seal_row(conn: Conn, place: Place, row: asyncpg.Record, newest: str) -> bool:
    keys, before = keys_of(conn), row[place.column]
    anew: dict[str, str] = {}
    for bound, stored in _secrets(place, row):
        if key_id_of(stored) == newest:
            continue
        try:
            anew[bound[-1]] = keys.seal(place, bound, keys.open(place, bound, stored))
        except SealingError:
            continue
    if not anew:
        return False
    after: Any = {**before, **anew} if place.is_map else next(iter(anew.values()))
    wheres = " AND ".join(f"{name} = ${i}" for i, name in enumerate(place.row, 3))
    done: str = await conn.execute(
        f"UPDATE {place.table} SET {place.column} = $1 WHERE {place.column} = $2 AND {wheres}",  # noqa: S608
        after,
        before,
        *(row[name] for name in place.row),
    )
    return done != "UPDATE 0"


async def forget_unused_keys(conn: Conn, used: Sequence[str]) -> None:
    await conn.execute("DELETE FROM secret_key WHERE key_id <> ALL ($1)", list(used))


def _secrets(place: Place, row: asyncpg.Record) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (what it is bound to, what is stored) of each secret of a row."""
    bound, value = tuple(row[name] for name in place.row), row[place.column]
    if not place.is_map:
        yield bound, value
        return
    secrets: Mapping[str, str] = value
    for name, stored in secrets.items():
        yield (*bound, name), stored


def _all_of(place: Place) -> str:
    columns = ", ".join((*place.row, place.column))
    return f"SELECT {columns} FROM {place.table} WHERE {place.column} IS NOT NULL"  # noqa: S608 - of PLACES


def _stale(place: Place) -> str:
    if place.is_map:
        return f"EXISTS (SELECT 1 FROM jsonb_each_text({place.column}) WHERE value NOT LIKE $1)"  # noqa: S608 - of PLACES
    return f"{place.column} NOT LIKE $1"
