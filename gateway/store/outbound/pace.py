"""The pace of an account's calls: a row that whoever places the next one holds, so that several workers keep one rate."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from routing.settings import AccountSettings, stored_settings
from runtime.database.pool import Conn

_HOLD = """
SELECT p.last_placed_at, p.slow_until, a.state, a.settings FROM outbound_pace p JOIN account a USING (account_id)
WHERE account_id = $1 FOR UPDATE OF p
"""
_NEW = "INSERT INTO outbound_pace (account_id) VALUES ($1) ON CONFLICT DO NOTHING"
_SEEN = _HOLD.replace("FOR UPDATE OF p", "").replace(
    "outbound_pace p JOIN account a USING (account_id)",
    "account a LEFT JOIN outbound_pace p USING (account_id)",
)


class HeldPace(NamedTuple):
    """settings, is_on: of the account, as they are in this transaction."""

    last_placed_at: datetime | None
    slow_until: datetime | None
    is_on: bool
    settings: AccountSettings


async def hold_pace(conn: Conn, account_id: str) -> HeldPace | None:
    """Wait for the row; nobody else places a call of the account until the transaction ends. None: there is no such account."""
    row = await conn.fetchrow(_HOLD, account_id)
    if row is None:
        await conn.execute(_NEW, account_id)
        row = await conn.fetchrow(_HOLD, account_id)
    return _pace(row)


async def pace_of(conn: Conn, account_id: str) -> HeldPace | None:
    """As `hold_pace`, without holding anything."""
    return _pace(await conn.fetchrow(_SEEN, account_id))


async def charge(conn: Conn, account_id: str, at: datetime) -> None:
    """Count a call, in the transaction that holds the row."""
    await conn.execute(
        "UPDATE outbound_pace SET before_that = last_placed_at, last_placed_at = $2 WHERE account_id = $1",
        account_id,
        at,
    )


async def give_back(conn: Conn, account_id: str, charged_at: datetime) -> None:
    """Do not count what was charged then and was not placed, unless another was charged since."""
    await conn.execute(
        "UPDATE outbound_pace SET last_placed_at = before_that, before_that = NULL"
        " WHERE account_id = $1 AND last_placed_at = $2",
        account_id,
        charged_at,
    )


async def slow_down(conn: Conn, account_id: str, until: datetime) -> None:
    """Half the rate until then."""
    await conn.execute(
        "UPDATE outbound_pace SET slow_until = greatest(slow_until, $2) WHERE account_id = $1",
        account_id,
        until,
    )


def _pace(row: object) -> HeldPace | None:
    if row is None:
        return None
    value: dict[str, object] = dict(row)  # type: ignore[call-overload]
    return HeldPace(
        last_placed_at=value["last_placed_at"],  # type: ignore[arg-type]
        slow_until=value["slow_until"],  # type: ignore[arg-type]
        is_on=value["state"] == "on",
        settings=stored_settings(value["settings"]),
    )
