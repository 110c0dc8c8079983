"""Who may do what in which channel, as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from routing.dialogues.access import ChannelRight, default_channel
from runtime.database.pool import Conn


async def rights_in_channels(conn: Conn, account_id: str) -> dict[str, dict[str, ChannelRight]]:
    """Return by employee, then by channel, what each may; whoever has no row is not there."""
    rows = await conn.fetch(
        "SELECT employee_id, channel_id, may FROM channel_access WHERE account_id = $1", account_id
    )
    found: dict[str, dict[str, ChannelRight]] = {}
    for row in rows:
        found.setdefault(row["employee_id"], {})[row["channel_id"]] = row["may"]
    return found


async def default_channels(conn: Conn, account_id: str) -> dict[str, str]:
    """Return by employee from which channel they write."""
    rows = await conn.fetch(
        "SELECT employee_id, channel_id FROM channel_access WHERE account_id = $1 AND is_default", account_id
    )
    return {row["employee_id"]: row["channel_id"] for row in rows}


async def set_rights(
    conn: Conn, account_id: str, channel_id: str, rights: Mapping[str, ChannelRight | None]
) -> None:
    """Give each of these employees this right; None takes them out of the channel. Default channels follow."""
    gone = [employee for employee, right in rights.items() if right is None]
    given = {employee: right for employee, right in rights.items() if right is not None}
    await conn.execute(
        "DELETE FROM channel_access WHERE account_id = $1 AND channel_id = $2 AND employee_id = ANY($3)",
        account_id,
        channel_id,
        gone,
    )
    await conn.execute(
        "INSERT INTO channel_access AS a (account_id, channel_id, employee_id, may)"
        " SELECT $1, $2, * FROM unnest($3::text[], $4::text[])"
        " ON CONFLICT (account_id, channel_id, employee_id) DO UPDATE SET may = excluded.may,"
        " is_default = a.is_default AND excluded.may = 'send'",
        account_id,
        channel_id,
        list(given),
        list(given.values()),
    )
    await _settle_defaults(conn, account_id, list(rights))


async def withdraw_rights_of(conn: Conn, account_id: str, employees: Collection[str]) -> None:
    """Take these people out of every channel."""
    await conn.execute(
        "DELETE FROM channel_access WHERE account_id = $1 AND employee_id = ANY($2)",
        account_id,
        list(employees),
    )


async def choose_default(conn: Conn, account_id: str, employee_id: str, channel_id: str) -> bool:
    """Have them write from this channel, and no other. Whether they may."""
    rights = (await rights_in_channels(conn, account_id)).get(employee_id, {})
    if rights.get(channel_id) != "send":
        return False
    await _keep_default(conn, account_id, employee_id, channel_id)
    return True


async def _settle_defaults(conn: Conn, account_id: str, employees: Sequence[str]) -> None:
    rights, chosen = await rights_in_channels(conn, account_id), await default_channels(conn, account_id)
    for employee in employees:
        holds = default_channel(rights.get(employee, {}), chosen.get(employee))
        if holds != chosen.get(employee):
            await _keep_default(conn, account_id, employee, holds)


async def _keep_default(conn: Conn, account_id: str, employee_id: str, channel_id: str | None) -> None:
    await conn.execute(
        "UPDATE channel_access SET is_default = false WHERE account_id = $1 AND employee_id = $2 AND is_default",
        account_id,
        employee_id,
    )
    await conn.execute(
        "UPDATE channel_access SET is_default = true WHERE account_id = $1 AND employee_id = $2 AND channel_id = $3",
        account_id,
        employee_id,
        channel_id,
    )
