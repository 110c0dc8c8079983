"""Rows of the inbox: what PBXs told us, and what became of each message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from gateway.store.intake.jobs import QUEUE, TASK
from runtime.database.pool import Conn

# Jobs with a higher priority go first: those of an account come the later the more of its clients wait already.
_IN_TURN = """
    SELECT account_id, client_key, waiting + row_number() OVER (PARTITION BY account_id ORDER BY client_key)::integer AS place
    FROM told JOIN (SELECT account_id, callmatrix_jobs_waiting(account_id) AS waiting
                    FROM (SELECT DISTINCT account_id FROM told) AS a) AS queue USING (account_id)"""

# One statement, so that a batch is one round trip and one commit. Rows come sorted by key: two gateways that insert the
# same messages at once then wait for each other in one order and cannot deadlock.
_INSERT = f"""
WITH message AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[],
        $8::text[], $9::text[])
        AS m (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, spoilt)
), clock AS (
    SELECT CASE WHEN abs(extract(epoch FROM statement_timestamp() - $10::timestamptz)) > 2
        THEN statement_timestamp() - $10::timestamptz ELSE interval '0' END AS ahead
), stored AS (
    INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, spoilt)
    SELECT account_id, connection_id, dedupe_key, call_key, client, received_at + (SELECT ahead FROM clock), raw, events::jsonb,
        string_to_array(spoilt, E'\\n') FROM message
    ON CONFLICT (account_id, connection_id, dedupe_key) DO NOTHING
    RETURNING account_id, connection_id, dedupe_key, event_id, call_key, client
), told AS (
    SELECT DISTINCT account_id, coalesce(client, 'call:' || connection_id || ':' || call_key) AS client_key FROM stored
), client AS ({_IN_TURN}
), job AS (
    SELECT procrastinate_defer_jobs_v1(array_agg(row('{QUEUE}', '{TASK}', -place, account_id || ' ' || client_key,
        NULL, jsonb_build_object('account_id', account_id, 'client_key', client_key), NULL
        )::procrastinate_job_to_defer_v1)) AS ids FROM client HAVING count(*) > 0
)
SELECT account_id, connection_id, dedupe_key, event_id, (SELECT cardinality(ids) FROM job) AS jobs FROM stored
"""  # noqa: S608 - names of ours

_DEFER = f"""
WITH told AS (SELECT * FROM unnest($1::text[], $2::text[]) AS told (account_id, client_key)), client AS ({_IN_TURN})
SELECT procrastinate_defer_jobs_v1(array_agg(row('{QUEUE}', '{TASK}', -place, account_id || ' ' || client_key,
    NULL, jsonb_build_object('account_id', account_id, 'client_key', client_key), NULL
    )::procrastinate_job_to_defer_v1))
FROM client HAVING count(*) > 0
"""  # noqa: S608 - names of ours

# A client is overdue when a message of theirs was not applied in time, when a moment of one of their calls has come, or when
# their case has to be escalated. Those with a job that waits or runs are left out, and those of $3, $4. Of many, each
# account has its longest overdue ones found, in turns: one account's trouble hides no other's clients.
_OVERDUE = """
SELECT account_id, client_key FROM (
    SELECT i.account_id, coalesce(i.client, c.client, 'call:' || i.connection_id || ':' || i.call_key) AS client_key,
        i.received_at AS since
    FROM inbox i LEFT JOIN call c USING (account_id, connection_id, call_key)
    WHERE i.state = 'pending' AND i.received_at < $1
    UNION ALL
    SELECT account_id, coalesce(client, 'call:' || connection_id || ':' || call_key), due_at FROM call WHERE due_at <= $2
    UNION ALL
    SELECT account_id, client, escalate_at FROM missed_case WHERE state = 'open' AND escalate_at <= $2
) AS overdue
WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
        WHERE j.lock = account_id || ' ' || client_key AND j.status IN ('todo', 'doing'))
    AND NOT EXISTS (SELECT 1 FROM unnest($3::text[], $4::text[]) AS alone (a, c) WHERE a = account_id AND c = client_key)
GROUP BY account_id, client_key
ORDER BY row_number() OVER (PARTITION BY account_id ORDER BY min(since)), account_id
LIMIT $5
"""


_ROWS_OF_CALLS = """
SELECT event_id, connection_id, call_key, client, received_at, state, events,
    coalesce(note = 'after-the-end', false) AS is_late FROM inbox
JOIN unnest($2::text[], $3::text[]) AS asked (connection_id, call_key) USING (connection_id, call_key)
WHERE account_id = $1 AND state <> 'ignored'
UNION ALL
SELECT event_id, i.connection_id, i.call_key, client, received_at, state, events,
    coalesce(note = 'after-the-end', false) FROM inbox i
JOIN unnest($2::text[], $3::text[]) AS asked (connection_id, first_key)
    ON i.connection_id = asked.connection_id AND split_part(i.call_key, '␟', 1) = first_key
WHERE account_id = $1 AND state <> 'ignored' AND strpos(i.call_key, '␟') > 0
ORDER BY event_id
"""


_TOLD_ANEW = """
SELECT place, coalesce(other.event_id, floor(extract(epoch FROM m.received_at) / extract(epoch FROM $5::interval))::bigint)
    AS number
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::timestamptz[]) WITH ORDINALITY
    AS m (account_id, connection_id, dedupe_key, received_at, place)
JOIN inbox i USING (account_id, connection_id, dedupe_key)
LEFT JOIN LATERAL (
    SELECT max(n.event_id) AS event_id FROM inbox n
    WHERE n.account_id = i.account_id AND n.connection_id = i.connection_id AND n.call_key = i.call_key
        AND n.event_id > i.event_id AND i.events->0->>'kind' = 'answered' AND n.events->0->>'kind' = 'answered'
        AND i.events->0->>'leg' IS NULL
        AND n.events->0->>'party' IS DISTINCT FROM i.events->0->>'party') AS other ON true
WHERE other.event_id IS NOT NULL OR i.received_at < m.received_at - $5::interval
"""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One row to be stored. events: JSON text of an array of CallEvent. dedupe_key: sha256. client: E.164 or None.

    spoilt: names of fields that could not be read as they stood, a line each; None = none. is_timeless: it does not say
    when, so that the same may be told of another time.
    """

    account_id: str
    connection_id: str
    dedupe_key: bytes
    call_key: str
    client: str | None
    received_at: datetime
    raw: bytes
    events: str
    spoilt: str | None = None
    is_timeless: bool = False

    @property
    def identity(self) -> tuple[str, str, bytes]:
        return self.account_id, self.connection_id, self.dedupe_key


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One stored message. events: the JSON array as it was stored, not yet validated. is_late: it came when the call's own
    messages had been cleaned away, and says nothing of the call."""

    event_id: int
    connection_id: str
    call_key: str
    client: str | None
    received_at: datetime
    state: str
    events: Any
    is_late: bool = False


async def store(
    conn: Conn,
    messages: Sequence[InboxMessage],
    *,
    sent_at: datetime | None = None,
    timeout: float | None = None,
) -> dict[tuple[str, str, bytes], int]:
    """Insert the messages that are not known yet, enqueue a job per client, commit. The new ones' event ids.

    sent_at: this moment by the clock that `received_at` is by, None = the machine's: times are stored by the database's
    clock, which hosts may differ from, and which those who decide go by.

    Must not run inside a transaction of the caller's. Raises asyncpg.PostgresError, OSError, TimeoutError.
    """
    ordered = sorted(messages, key=lambda m: m.identity)
    rows = await conn.fetch(
        _INSERT,
        [m.account_id for m in ordered],
        [m.connection_id for m in ordered],
        [m.dedupe_key for m in ordered],
        [m.call_key for m in ordered],
        [m.client for m in ordered],
        [m.received_at for m in ordered],
        [m.raw for m in ordered],
        [m.events for m in ordered],
        [m.spoilt for m in ordered],
        sent_at or datetime.now(UTC),
        timeout=timeout,
    )
    return {(r["account_id"], r["connection_id"], bytes(r["dedupe_key"])): r["event_id"] for r in rows}


async def known(
    conn: Conn, identities: Sequence[tuple[str, str, bytes]], *, timeout: float | None = None
) -> dict[tuple[str, str, bytes], int]:
    """Event ids of messages that were stored earlier."""
    rows = await conn.fetch(
        "SELECT account_id, connection_id, dedupe_key, event_id FROM inbox"
        " JOIN unnest($1::text[], $2::text[], $3::bytea[]) AS asked (account_id, connection_id, dedupe_key)"
        " USING (account_id, connection_id, dedupe_key)",
        *(list(column) for column in zip(*identities, strict=True)),
        timeout=timeout,
    )
    return {(r["account_id"], r["connection_id"], bytes(r["dedupe_key"])): r["event_id"] for r in rows}


async def told_anew(
    conn: Conn, messages: Sequence[InboxMessage], *, within: timedelta, timeout: float | None = None
) -> list[tuple[InboxMessage, int]]:
    """Return those of these timeless messages that were stored earlier but tell something new: longer ago than a repetition
    comes, or somebody else has answered since. A leg that is named answers once. With each a number that is the same for its
    own repetitions."""
    if not messages:
        return []
    rows = await conn.fetch(
        _TOLD_ANEW,
        [m.account_id for m in messages],
        [m.connection_id for m in messages],
        [m.dedupe_key for m in messages],
        [m.received_at for m in messages],
        within,
        timeout=timeout,
    )
    return [(messages[r["place"] - 1], r["number"]) for r in rows]


async def enqueue(conn: Conn, clients: Sequence[tuple[str, str]]) -> None:
    """Defer a job for each (account_id, client_key); may run inside the caller's transaction."""
    if clients:
        await conn.execute(_DEFER, [a for a, _ in clients], [c for _, c in clients])


async def delete_queued_jobs(conn: Conn, account_id: str, client_key: str) -> None:
    """Take away the jobs of this client that wait: what they were made for is visible to the next statement here."""
    await conn.execute(
        "DELETE FROM procrastinate_jobs WHERE lock = $1 AND status = 'todo'", f"{account_id} {client_key}"
    )


async def overdue(
    conn: Conn,
    *,
    received_before: datetime,
    now: datetime,
    left_alone: Sequence[tuple[str, str]] = (),
    limit: int = 1000,
) -> list[tuple[str, str]]:
    """(account_id, client_key) of clients whose job is missing, whatever became of it. left_alone: who is not looked for."""
    accounts, clients = [a for a, _ in left_alone], [c for _, c in left_alone]
    return [(r[0], r[1]) for r in await conn.fetch(_OVERDUE, received_before, now, accounts, clients, limit)]


async def rows_of_calls(conn: Conn, account_id: str, calls: Sequence[tuple[str, str]]) -> list[InboxRow]:
    """Every message of these calls (connection_id, the PBX's id), later calls of the same id included, except those put
    aside by a person, oldest first."""
    if not calls:
        return []
    rows = await conn.fetch(_ROWS_OF_CALLS, account_id, [c for c, _ in calls], [k for _, k in calls])
    return [InboxRow(*row) for row in rows]


async def latest_tellings(
    conn: Conn, account_id: str, connection_id: str, until: datetime, limit: int
) -> list[tuple[str, datetime, Any]]:
    """Return the latest messages of a connection that came before this: call key, when it came, its events as stored."""
    rows = await conn.fetch(
        "SELECT call_key, received_at, events FROM inbox WHERE account_id = $1 AND connection_id = $2"
        " AND received_at < $3 AND state <> 'dead' ORDER BY received_at DESC LIMIT $4",
        account_id,
        connection_id,
        until,
        limit,
    )
    return [(row["call_key"], row["received_at"], row["events"]) for row in rows]


async def give_to_calls(conn: Conn, account_id: str, keys: Mapping[int, str]) -> None:
    """Note of which calls these messages (event ids) turned out to be."""
    if keys:
        await conn.execute(
            "UPDATE inbox i SET call_key = m.call_key FROM unnest($2::bigint[], $3::text[]) AS m (event_id, call_key)"
            " WHERE i.account_id = $1 AND i.event_id = m.event_id",
            account_id,
            list(keys),
            list(keys.values()),
        )


async def mark_applied(
    conn: Conn, account_id: str, event_ids: Sequence[int], at: datetime, *, is_late: bool = False
) -> None:
    """is_late: as of InboxRow."""
    if event_ids:
        await conn.execute(
            "UPDATE inbox SET state = 'applied', applied_at = $3, error = NULL,"
            " note = CASE WHEN $4 THEN 'after-the-end' ELSE note END"
            " WHERE account_id = $1 AND event_id = ANY($2::bigint[]) AND state = 'pending'",
            account_id,
            list(event_ids),
            at,
            is_late,
        )


async def mark_dead(conn: Conn, account_id: str, event_ids: Sequence[int], error: str) -> None:
    """To the dead-letter desk. error: `code: what in plain words`."""
    if event_ids:
        await conn.execute(
            "UPDATE inbox SET state = 'dead', applied_at = now(), error = $3"
            " WHERE account_id = $1 AND event_id = ANY($2::bigint[]) AND state = 'pending'",
            account_id,
            list(event_ids),
            error[:2000],
        )


async def dead_letters(
    conn: Conn, account_id: str, *, after: int = 0, limit: int = 100
) -> list[asyncpg.Record]:
    """Messages that could not be processed: event_id, connection_id, call_key, client, received_at, error, raw."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT event_id, connection_id, call_key, client, received_at, applied_at AS since, error, raw FROM inbox"
        " WHERE account_id = $1 AND state = 'dead' AND event_id > $2 ORDER BY event_id LIMIT $3",
        account_id,
        after,
        limit,
    )
    return rows


async def retry_dead(conn: Conn, account_id: str, event_ids: Sequence[int] | None = None) -> int:
    """Dead messages (None = all) are pending again, each with a job. How many. Run it inside a transaction."""
    rows = await conn.fetch(
        "UPDATE inbox SET state = 'pending', applied_at = NULL WHERE account_id = $1 AND state = 'dead'"
        " AND ($2::bigint[] IS NULL OR event_id = ANY($2))"
        " RETURNING coalesce(client, 'call:' || connection_id || ':' || call_key) AS client_key",
        account_id,
        None if event_ids is None else list(event_ids),
    )
    await enqueue(conn, sorted({(account_id, r["client_key"]) for r in rows}))
    return len(rows)


async def retry_dead_of(conn: Conn, account_id: str, connection_id: str, call_key: str) -> None:
    """Have the dead messages of this call worked on again."""
    ids = await conn.fetch(
        "SELECT event_id FROM inbox WHERE account_id = $1 AND connection_id = $2 AND call_key = $3 AND state = 'dead'",
        account_id,
        connection_id,
        call_key,
    )
    if ids:
        await retry_dead(conn, account_id, [r["event_id"] for r in ids])


async def ignore_dead(conn: Conn, account_id: str, event_id: int, note: str) -> bool:
    """Whether there was such a dead message. It takes no part in its call any more."""
    done: str = await conn.execute(
        "UPDATE inbox SET state = 'ignored', note = $3 WHERE account_id = $1 AND event_id = $2 AND state = 'dead'",
        account_id,
        event_id,
        note,
    )
    return done != "UPDATE 0"


class LatestMessage(NamedTuple):
    """client: E.164 where the message tells it."""

    received_at: datetime
    client: str | None


async def latest_of_connection(conn: Conn, account_id: str, connection_id: str) -> LatestMessage | None:
    """Return the newest message of a PBX, None where it never sent one."""
    row = await conn.fetchrow(
        "SELECT received_at, client FROM inbox WHERE account_id = $1 AND connection_id = $2"
        " ORDER BY event_id DESC LIMIT 1",
        account_id,
        connection_id,
    )
    return None if row is None else LatestMessage(row["received_at"], row["client"])


async def delete_older_than(conn: Conn, before: datetime, *, limit: int = 5000) -> int:
    """Delete applied and ignored messages received earlier, nothing of a call that goes on or of an open case."""
    done: str = await conn.execute(
        "DELETE FROM inbox WHERE (account_id, event_id) IN (SELECT i.account_id, i.event_id FROM inbox i"
        " LEFT JOIN call c USING (account_id, connection_id, call_key)"
        " WHERE i.received_at < $1 AND i.state IN ('applied', 'ignored') AND coalesce(c.is_over, true)"
        " AND c.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = i.account_id"
        " AND m.client = c.client AND m.state = 'open') ORDER BY i.received_at LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


async def backlog(conn: Conn) -> tuple[int, float]:
    """How many messages are pending and the age in seconds of the oldest, for the metrics."""
    row = await conn.fetchrow(
        "SELECT count(*) AS n, coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8 AS age"
        " FROM inbox WHERE state = 'pending'"
    )
    assert row is not None
    return row["n"], row["age"]
