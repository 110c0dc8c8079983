"""What the status page, `check` and the metrics ask of the tables: figures only, cheap on big tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

from runtime.database.pool import Conn

AccountIds: TypeAlias = Sequence[str] | None
"""Of these accounts, None = of all."""

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
class InboxFigures:
    """lag_seconds: age of the oldest message that was not applied yet."""

    pending: int = 0
    lag_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    last_at: datetime | None = None
    applied: int = 0
    refused: int = 0
    last_refusal: str | None = None
    last_refused_at: datetime | None = None
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


async def inbox_by_account(conn: Conn) -> dict[str, InboxFigures]:
    return {
        r["account_id"]: InboxFigures(pending=r["pending"], lag_seconds=max(0.0, r["lag_seconds"]))
        for r in await conn.fetch(_INBOX)
    }


async def jobs_queued(conn: Conn) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    )
    return found


async def dead_by_account(conn: Conn, account_ids: AccountIds) -> dict[str, int]:
    found = await conn.fetch(
        "SELECT account_id, count(*) AS n FROM inbox"
        " WHERE state = 'dead' AND ($1::text[] IS NULL OR account_id = ANY($1)) GROUP BY 1",
        account_ids,
    )
    return {r["account_id"]: r["n"] for r in found}


async def webhooks_by_account(conn: Conn, account_ids: AccountIds) -> dict[str, Webhooks]:
    found = await conn.fetch(
        "SELECT account_id, s.last_at, coalesce(s.applied, 0) AS applied, coalesce(s.refused, 0) AS refused,"
        " s.last_refusal, s.last_refused_at, coalesce(w.waiting, 0) AS waiting FROM crm_webhook_seen s FULL JOIN"
        " (SELECT account_id, count(*) AS waiting FROM crm_webhook GROUP BY 1) AS w USING (account_id)"
        " WHERE $1::text[] IS NULL OR account_id = ANY($1)",
        account_ids,
    )
    return {
        r["account_id"]: Webhooks(
            last_at=r["last_at"],
            applied=r["applied"],
            refused=r["refused"],
            last_refusal=r["last_refusal"],
            last_refused_at=r["last_refused_at"],
            waiting=r["waiting"],
        )
        for r in found
    }


async def latest_event_of_each_connection(
    conn: Conn, account_ids: AccountIds
) -> dict[tuple[str, str], datetime]:
    """By account and connection. Connections of which no message is kept are not there."""
    found = await conn.fetch(
        "SELECT c.account_id, c.connection_id, latest.received_at AS at FROM connection c, LATERAL"
        " (SELECT received_at FROM inbox i WHERE i.account_id = c.account_id AND i.connection_id = c.connection_id"
        " ORDER BY received_at DESC LIMIT 1) AS latest WHERE $1::text[] IS NULL OR c.account_id = ANY($1)",
        account_ids,
    )
    return {(r["account_id"], r["connection_id"]): r["at"] for r in found}


@dataclass(frozen=True, slots=True)
class SpoiltMessages:
    """Of one connection. fields: names of those that could not be read, the most frequent first."""

    messages: int
    fields: tuple[str, ...]


async def spoilt_by_connection(
    conn: Conn, account_ids: AccountIds, since: datetime
) -> dict[tuple[str, str], SpoiltMessages]:
    """By account and connection; those whose messages could all be read are not there."""
    found = await conn.fetch(
        "SELECT account_id, connection_id, max(messages) AS messages,"
        " array_agg(field ORDER BY count DESC, field) AS fields FROM ("
        "  SELECT account_id, connection_id, field, count(*) AS count,"
        "    (SELECT count(*) FROM inbox j WHERE j.spoilt IS NOT NULL AND j.received_at >= $2"
        "     AND j.account_id = i.account_id AND j.connection_id = i.connection_id) AS messages"
        "  FROM inbox i, unnest(i.spoilt) AS field WHERE i.spoilt IS NOT NULL AND i.received_at >= $2"
        "  AND ($1::text[] IS NULL OR i.account_id = ANY($1)) GROUP BY 1, 2, 3) AS counted GROUP BY 1, 2",
        account_ids,
        since,
    )
    return {
        (r["account_id"], r["connection_id"]): SpoiltMessages(r["messages"], tuple(r["fields"]))
        for r in found
    }


async def active_crm_users(conn: Conn, account_ids: AccountIds) -> dict[str, list[tuple[str, str]]]:
    """(id, name) of each account's, by name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in await conn.fetch(
        "SELECT account_id, user_id, name FROM crm_user"
        " WHERE is_active AND ($1::text[] IS NULL OR account_id = ANY($1)) ORDER BY account_id, name",
        account_ids,
    ):
        found.setdefault(row["account_id"], []).append((row["user_id"], row["name"]))
    return found


async def server(conn: Conn) -> asyncpg.Record:
    """version_num, version, now of the database."""
    row = await conn.fetchrow(
        "SELECT current_setting('server_version_num')::int AS version_num,"
        " current_setting('server_version') AS version, clock_timestamp() AS now"
    )
    assert row is not None
    return row


async def delete_reports_of_gone_processes(conn: Conn, prefix: str) -> None:
    """Delete reports of processes that ended more than an hour ago."""
    await conn.execute(
        "DELETE FROM worker_report WHERE account_id = '' AND starts_with(report, $1)"
        " AND at < now() - interval '1 hour'",
        prefix,
    )
