"""What the status page, `check` and the metrics ask of the tables: figures only, cheap on big tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from runtime.database.pool import Conn

LATEST_EVENTS = 5000
"""How far back an account's events are looked through for the latest of each connection."""

# Finished effects are not counted: there may be millions, and no index leads to them.
_EFFECTS = """
SELECT account_id, state, count(*) AS n, min(created_at) AS oldest FROM effect
WHERE state IN ('waiting', 'sending', 'unknown') GROUP BY 1, 2
UNION ALL SELECT account_id, state, count(*), min(created_at) FROM effect WHERE state = 'held' GROUP BY 1, 2
UNION ALL SELECT account_id, state, count(*), min(created_at) FROM effect WHERE state = 'dead' GROUP BY 1, 2
"""

_INBOX = """
SELECT account_id, count(*) AS pending, extract(epoch FROM now() - min(received_at))::float8 AS lag_seconds
FROM inbox WHERE state = 'pending' GROUP BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """How many effects of an account are in each state that is not final. oldest_at: of those that wait."""

    counts: Mapping[str, int]
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """lag_seconds: age of the oldest message that was not applied yet."""

    pending: int = 0
    lag_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    last_at: datetime | None = None
    applied: int = 0
    refused: int = 0
    last_refusal: str | None = None
    waiting: int = 0


STATES = ("waiting", "sending", "unknown", "held", "dead")
NO_EFFECTS = Effects(counts=dict.fromkeys(STATES, 0), oldest_at=None)


async def effects_by_account(conn: Conn) -> dict[str, Effects]:
    counts: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    for row in await conn.fetch(_EFFECTS):
        account_id = row["account_id"]
        counts.setdefault(account_id, dict.fromkeys(STATES, 0))[row["state"]] = row["n"]
        if row["state"] in ("waiting", "sending", "unknown"):
            oldest[account_id] = min(row["oldest"], oldest.get(account_id, row["oldest"]))
    return {a: Effects(counts=c, oldest_at=oldest.get(a)) for a, c in counts.items()}


async def inbox_by_account(conn: Conn) -> dict[str, Inbox]:
    return {
        r["account_id"]: Inbox(pending=r["pending"], lag_seconds=max(0.0, r["lag_seconds"]))
        for r in await conn.fetch(_INBOX)
    }


async def jobs_queued(conn: Conn) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    )
    return found


async def dead_messages(conn: Conn, account_id: str) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM inbox WHERE account_id = $1 AND state = 'dead'", account_id
    )
    return found


async def webhooks(conn: Conn, account_id: str) -> Webhooks:
    row = await conn.fetchrow("SELECT * FROM crm_webhook_seen WHERE account_id = $1", account_id)
    waiting: int = await conn.fetchval("SELECT count(*) FROM crm_webhook WHERE account_id = $1", account_id)
    if row is None:
        return Webhooks(waiting=waiting)
    return Webhooks(
        last_at=row["last_at"],
        applied=row["applied"],
        refused=row["refused"],
        last_refusal=row["last_refusal"],
        waiting=waiting,
    )


async def latest_event_of_each_connection(conn: Conn, account_id: str) -> dict[str, datetime]:
    """Connections of which nothing is among the latest `LATEST_EVENTS` messages are not there."""
    rows = await conn.fetch(
        "SELECT connection_id, max(received_at) AS at FROM (SELECT connection_id, received_at FROM inbox"
        " WHERE account_id = $1 ORDER BY event_id DESC LIMIT $2) AS latest GROUP BY 1",
        account_id,
        LATEST_EVENTS,
    )
    return {r["connection_id"]: r["at"] for r in rows}


async def unmapped_crm_users(conn: Conn, account_id: str, mapped: list[str]) -> list[str]:
    """Names of active CRM users who are no employee of ours."""
    rows = await conn.fetch(
        "SELECT name FROM crm_user WHERE account_id = $1 AND is_active AND user_id <> ALL($2::text[]) ORDER BY name",
        account_id,
        mapped,
    )
    return [r["name"] for r in rows]


async def server(conn: Conn) -> asyncpg.Record:
    """version_num, version, now of the database."""
    row = await conn.fetchrow(
        "SELECT current_setting('server_version_num')::int AS version_num,"
        " current_setting('server_version') AS version, clock_timestamp() AS now"
    )
    assert row is not None
    return row


async def delete_reports_of_gone_processes(conn: Conn, prefix: str) -> None:
    """Reports of processes that ended more than an hour ago."""
    await conn.execute(
        "DELETE FROM worker_report WHERE account_id = '' AND starts_with(report, $1)"
        " AND at < now() - interval '1 hour'",
        prefix,
    )
