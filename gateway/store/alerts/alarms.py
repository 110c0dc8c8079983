"""What is remembered of each cause of alarms, and whose turn it is to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from routing.alerts import AlertCause, AlertState
from runtime.database.pool import Conn

_KEEP = """
INSERT INTO alert_state (account_id, kind, object, bad_since, good_since, told_at, over_at, relapses, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (account_id, kind, object) DO UPDATE SET bad_since = excluded.bad_since, good_since = excluded.good_since,
    told_at = excluded.told_at, over_at = excluded.over_at, relapses = excluded.relapses, facts = excluded.facts
"""
# A task for later, and what waits for another effect, are no work that the writer owes now.
_DUE = """
SELECT a.account_id FROM account a WHERE a.state = 'on' AND EXISTS (
    SELECT FROM effect e WHERE e.account_id = a.account_id AND e.state IN ('waiting', 'sending', 'unknown')
        AND (e.not_before IS NULL OR e.not_before <= now()) AND e.after = '{}')
"""

# A minute more or less is no matter: a busy PBX does not rewrite its row at every look.
_HEARD = """
INSERT INTO alert_heard AS h (account_id, connection_id, heard_at)
SELECT c.account_id, c.connection_id, latest.received_at FROM connection c CROSS JOIN LATERAL (
    SELECT received_at FROM inbox i WHERE i.account_id = c.account_id AND i.connection_id = c.connection_id
    ORDER BY received_at DESC LIMIT 1) AS latest
ON CONFLICT (account_id, connection_id) DO UPDATE SET heard_at = excluded.heard_at
    WHERE excluded.heard_at > h.heard_at + interval '1 minute'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedAlert:
    """facts: the values of its sentence."""

    cause: AlertCause
    state: AlertState
    facts: Mapping[str, Any]


async def is_due(conn: Conn, every: timedelta) -> datetime | None:
    """Return the moment by the database's clock when it is time to look again, else None."""
    now: datetime | None = await conn.fetchval(
        "SELECT now() FROM alert_turn WHERE looked_at <= now() - $1::interval", every
    )
    return now


async def take_turn(conn: Conn, seen_at: datetime) -> bool:
    """Take it until the transaction ends. False: another process decides, or has seen what is newer than `seen_at`."""
    row = await conn.fetchrow("SELECT looked_at FROM alert_turn FOR UPDATE SKIP LOCKED")
    if row is None or row["looked_at"] >= seen_at:
        return False
    await conn.execute("UPDATE alert_turn SET looked_at = $1", seen_at)
    return True


async def remembered(conn: Conn) -> list[RememberedAlert]:
    rows = await conn.fetch("SELECT * FROM alert_state ORDER BY account_id, kind, object")
    return [
        RememberedAlert(
            cause=AlertCause(kind=row["kind"], account_id=row["account_id"], object=row["object"]),
            state=AlertState(
                bad_since=row["bad_since"],
                good_since=row["good_since"],
                told_at=row["told_at"],
                over_at=row["over_at"],
                relapses=row["relapses"],
            ),
            facts=row["facts"],
        )
        for row in rows
    ]


async def keep(conn: Conn, alert: RememberedAlert) -> None:
    cause, state = alert.cause, alert.state
    if state.is_blank:
        await conn.execute(
            "DELETE FROM alert_state WHERE account_id = $1 AND kind = $2 AND object = $3",
            cause.account_id,
            cause.kind,
            cause.object,
        )
        return
    await conn.execute(
        _KEEP,
        cause.account_id,
        cause.kind,
        cause.object,
        state.bad_since,
        state.good_since,
        state.told_at,
        state.over_at,
        state.relapses,
        dict(alert.facts),
    )


async def accounts_with_work(conn: Conn) -> frozenset[str]:
    """Accounts that are on and whose writer has something to send now."""
    return frozenset(row["account_id"] for row in await conn.fetch(_DUE))


async def heard(conn: Conn) -> dict[tuple[str, str], datetime]:
    """When each connection (account, name) was last heard of; those that never spoke are not there. It is remembered for
    longer than the messages are."""
    await conn.execute(_HEARD)
    rows = await conn.fetch(
        "SELECT c.account_id, c.name, h.heard_at FROM alert_heard h JOIN connection c USING (account_id, connection_id)"
    )
    return {(row["account_id"], row["name"]): row["heard_at"] for row in rows}
