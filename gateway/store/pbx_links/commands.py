"""Commands to PBXs as rows: what was ordered, how it came out, and when the next may be sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """One command and what is known of it. state: sent, refused, dropped."""

    account_id: str
    command_id: str
    connection_id: str
    call_key: str
    leg: str
    decision_id: str | None
    address: str
    state: str
    because: str
    asked_at: datetime
    sent_at: datetime | None


async def claim_turn(conn: Conn, product: str, command: str, every: timedelta) -> float:
    """0.0: it is our turn, and the next one is `every` from now. Else the seconds until there may be one."""
    taken = await conn.fetchval(
        "INSERT INTO pbx_pace AS p (product, command, last_at) VALUES ($1, $2, clock_timestamp())"
        " ON CONFLICT (product, command) DO UPDATE SET last_at = clock_timestamp()"
        " WHERE p.last_at <= clock_timestamp() - $3::interval RETURNING true",
        product,
        command,
        every,
    )
    if taken:
        return 0.0
    left: float | None = await conn.fetchval(
        "SELECT extract(epoch FROM last_at + $3::interval - clock_timestamp())::float8 FROM pbx_pace"
        " WHERE product = $1 AND command = $2",
        product,
        command,
        every,
    )
    return max(left or 0.0, 0.01)


async def wait_for_turn(pool: asyncpg.Pool, product: str, command: str, every: timedelta) -> None:
    """Return when it is our turn, and the next one is `every` from now; no connection is held meanwhile."""
    while True:
        async with pool.acquire() as conn:
            wait = await claim_turn(conn, product, command, every)
        if wait <= 0:
            return
        await asyncio.sleep(wait)


async def save_command(conn: Conn, row: CommandRow) -> None:
    """Store a command; a result that came before it is kept."""
    await conn.execute(
        "INSERT INTO pbx_command AS c (account_id, command_id, connection_id, call_key, leg, decision_id, address, state,"
        " because, asked_at, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (account_id, command_id) DO UPDATE SET call_key = $4, leg = $5, decision_id = $6, address = $7,"
        " asked_at = $10, sent_at = $11,"
        " state = CASE WHEN c.result_at IS NULL THEN $8 ELSE c.state END,"
        " because = CASE WHEN c.result_at IS NULL THEN $9 ELSE c.because END",
        row.account_id,
        row.command_id,
        row.connection_id,
        row.call_key,
        row.leg,
        row.decision_id,
        row.address,
        row.state,
        row.because,
        row.asked_at,
        row.sent_at,
    )


async def save_result(
    conn: Conn, account_id: str, connection_id: str, command_id: str, code: int, is_done: bool, at: datetime
) -> None:
    """Store the PBX's word on a command; it may come before we have written down that we sent it."""
    await conn.execute(
        "INSERT INTO pbx_command (account_id, command_id, connection_id, state, code, asked_at, result_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6)"
        " ON CONFLICT (account_id, command_id) DO UPDATE SET state = $4, code = $5, result_at = $6",
        account_id,
        command_id,
        connection_id,
        "done" if is_done else "failed",
        code,
        at,
    )


async def results_of(conn: Conn, account_id: str, command_ids: Sequence[str]) -> dict[str, int]:
    """Return the result codes that the PBX told of these, of those whose result has come."""
    rows = await conn.fetch(
        "SELECT command_id, code FROM pbx_command WHERE account_id = $1 AND command_id = ANY($2) AND code IS NOT NULL",
        account_id,
        list(command_ids),
    )
    return {row["command_id"]: row["code"] for row in rows}


async def delete_commands_older_than(conn: Conn, older_than: timedelta, limit: int = 5000) -> int:
    done: str = await conn.execute(
        "DELETE FROM pbx_command WHERE (account_id, command_id) IN (SELECT account_id, command_id FROM pbx_command"
        " WHERE asked_at < now() - $1::interval LIMIT $2)",
        older_than,
        limit,
    )
    return int(done.split()[-1])
