"""SQL of the backfill: what is held, what of it belongs to a window, runs and their calls."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import orjson

from runtime.database import locks
from runtime.database.pool import Conn

RunKey: TypeAlias = tuple[str, str]
"""(account, run)"""

_QUICK_SECONDS = 0.01  # what is counted in less is counted each time
_REST = 20  # else it is told for so many times as long as counting took

# Joined in the program: the planner knows nothing of tables that were filled a moment ago.
_HELD = """
SELECT e.effect_key, e.call_id, e.after, e.what, e.client, e."order"->'contact'->>'effect' AS contact,
       e."order"->>'purpose' AS purpose, coalesce(c.started_at + c.clock_offset, e.created_at) AS at
FROM effect e LEFT JOIN call c ON c.account_id = e.account_id AND c.call_id = e.call_id
WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'held' AND e.created_at < $2
ORDER BY e.seq
"""

# One that found nothing to send is no run that anybody asks about, while there is another.
_DID_ANYTHING = "(state IN ('running', 'paused') OR calls_total > 0 OR (preview->>'requests')::int > 0)"

_TAKE_UP = """
INSERT INTO backfill_call (account_id, run_id, call_id, position)
SELECT $1, $2, e.call_id, row_number() OVER (ORDER BY min(e.seq))
FROM effect e WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'held' AND e.created_at < $3 AND e.call_id IS NOT NULL
GROUP BY e.call_id
"""

MESSENGERS = "chat:"
"""What the keys of all that dialogues of messengers order begin with."""
_FOR_WHO_WROTE = f"starts_with(effect_key, '{MESSENGERS}') AND what IN ('create_contact', 'create_deal')"

# After what is too old was marked.
_TAKE_UP_CLIENTS = f"""
INSERT INTO backfill_client (account_id, run_id, client)
SELECT DISTINCT $1, $2, client FROM effect WHERE account_id = $1 AND system = 'crm' AND state = 'held' AND created_at < $3
    AND {_FOR_WHO_WROTE}
"""  # noqa: S608

_NEXT = """
SELECT e.effect_key, e.what, e."order", e.client, e.created_at, e.crm_extra ? 'run' AS was_released,
       e."order"->>'purpose' AS purpose, coalesce(c.started_at + c.clock_offset, e.created_at) AS at
FROM effect e LEFT JOIN call c ON c.account_id = e.account_id AND c.call_id = e.call_id
WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'held' AND e.created_at < $2
ORDER BY e.seq LIMIT $3
"""

_RELEASE = """
UPDATE effect e SET state = r.state, lane = $3, "order" = r."order", error_code = r.code, next_try_at = NULL,
       crm_extra = e.crm_extra || jsonb_build_object('run', $4::text)
FROM jsonb_to_recordset($2::text::jsonb) AS r (key text, state text, "order" jsonb, code text)
WHERE e.account_id = $1 AND e.effect_key = r.key AND e.state = 'held'
"""

_COUNT = f"""
SELECT asked.account_id, asked.run_id, figures.* FROM unnest($1::text[], $2::text[]) AS asked (account_id, run_id),
LATERAL (
    WITH counted AS (
        SELECT count(*) FILTER (WHERE e.state IN ('held', 'waiting', 'sending', 'unknown')) AS open,
               count(DISTINCT e.call_id) FILTER (WHERE e.state IN ('held', 'waiting', 'sending', 'unknown')) AS open_calls,
               count(*) FILTER (WHERE e.state = 'done') AS done, count(*) FILTER (WHERE e.state = 'dead') AS dead,
               count(*) FILTER (WHERE e.state IN ('skipped', 'expired')) AS skipped
        FROM backfill_call b
        JOIN effect e ON e.account_id = b.account_id AND e.call_id = b.call_id AND e.system = 'crm'
        WHERE b.account_id = asked.account_id AND b.run_id = asked.run_id
    ), all_calls AS (
        SELECT count(*) AS calls FROM backfill_call WHERE account_id = asked.account_id AND run_id = asked.run_id
    ), clients AS (
        SELECT b.client, bool_or(e.state IN ('held', 'waiting', 'sending', 'unknown')) AS is_open
        FROM backfill_client b JOIN backfill_run r USING (account_id, run_id)
        JOIN effect e ON e.account_id = b.account_id AND e.client = b.client AND e.system = 'crm'
            AND {_FOR_WHO_WROTE} AND e.created_at < r.until
        WHERE b.account_id = asked.account_id AND b.run_id = asked.run_id GROUP BY b.client
    ), all_clients AS (
        SELECT count(*) AS clients_total, count(*) FILTER (WHERE NOT is_open) AS clients_settled FROM clients
    )
    SELECT calls, clients_total, clients_settled, calls - open_calls AS settled, open AS effects_open, done AS effects_done, dead AS effects_dead,
           skipped AS effects_skipped
    FROM counted, all_calls, all_clients
) AS figures
"""  # noqa: S608

_KEPT = """
SELECT account_id, run_id, counts FROM backfill_run
JOIN unnest($1::text[], $2::text[]) AS asked (account_id, run_id) USING (account_id, run_id)
WHERE counts->>'state' = state AND counted_until > clock_timestamp()
"""

_KEEP = """
UPDATE backfill_run r SET counts = c.counts::jsonb || jsonb_build_object('state', r.state),
    counted_until = clock_timestamp() + $4::interval
FROM unnest($1::text[], $2::text[], $3::text[]) AS c (account_id, run_id, counts)
WHERE r.account_id = c.account_id AND r.run_id = c.run_id
"""

_REPORT = """
SELECT b.position, b.call_id, c.client, c.started_at, c.direction, c.disposition,
       coalesce(jsonb_agg(jsonb_build_object('what', e.what, 'state', e.state, 'code', e.error_code, 'id', e.crm_id,
                'was_found', e.was_found, 'field', e.error_field, 'detail', e.error_detail) ORDER BY e.seq)
                FILTER (WHERE e.effect_key IS NOT NULL), '[]') AS effects
FROM backfill_call b
LEFT JOIN call c ON c.account_id = b.account_id AND c.call_id = b.call_id
LEFT JOIN effect e ON e.account_id = b.account_id AND e.call_id = b.call_id AND e.system = 'crm'
WHERE b.account_id = $1 AND b.run_id = $2 AND b.position > $3
GROUP BY b.position, b.call_id, c.client, c.started_at, c.direction, c.disposition
ORDER BY b.position LIMIT $4
"""


async def held(conn: Conn, account_id: str, until: datetime) -> list[asyncpg.Record]:
    """Everything held that was ordered before `until`, oldest first."""
    return list(await conn.fetch(_HELD, account_id, until))


async def reached(conn: Conn, account_id: str, clients: Collection[str]) -> dict[str, datetime]:
    """Client -> when the latest call began in which somebody talked with them; by our clock, since that of another PBX may differ."""
    rows = await conn.fetch(
        "SELECT client, max(started_at + clock_offset) AS at FROM call WHERE account_id = $1 AND client = ANY($2)"
        " AND disposition = 'answered' GROUP BY client",
        account_id,
        list(clients),
    )
    return {row["client"]: row["at"] for row in rows}


async def lock(conn: Conn, account_id: str) -> None:
    """One change of an account's runs at a time, until the transaction ends."""
    await locks.take(conn, locks.backfill(account_id))


async def open_run(conn: Conn, account_id: str) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT * FROM backfill_run WHERE account_id = $1 AND state IN ('running', 'paused')", account_id
    )


async def in_the_way(conn: Conn, account_id: str) -> asyncpg.Record | None:
    """Return why a run sends nothing just now: state and state_reason of an account that is not on, else agreed_at of a
    directory that did not agree with the CRM since it lets us in; None = nothing. A directory that was never loaded is
    nobody's to wait for."""
    return await conn.fetchrow(
        "SELECT a.state, a.state_reason, c.last_success AS agreed_at FROM account a"
        " LEFT JOIN sync_cursor c ON c.account_id = a.account_id AND c.feed = 'agreed'"
        " WHERE a.account_id = $1 AND (a.state <> 'on' OR c.last_success < a.state_since - interval '1 minute')",
        account_id,
    )


async def run(conn: Conn, account_id: str, run_id: str) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT * FROM backfill_run WHERE account_id = $1 AND run_id = $2", account_id, run_id
    )


async def runs(conn: Conn, account_id: str, limit: int) -> list[asyncpg.Record]:
    return list(
        await conn.fetch(
            "SELECT * FROM backfill_run WHERE account_id = $1"  # noqa: S608 - a constant
            f" ORDER BY {_DID_ANYTHING} DESC, started_at DESC LIMIT $2",
            account_id,
            limit,
        )
    )


async def latest_runs(conn: Conn, account_ids: Sequence[str] | None) -> list[asyncpg.Record]:
    """Return the latest one of each of these accounts, None = of all, that ever began one."""
    return list(
        await conn.fetch(
            "SELECT DISTINCT ON (account_id) * FROM backfill_run"  # noqa: S608 - a constant
            f" WHERE $1::text[] IS NULL OR account_id = ANY($1) ORDER BY account_id, {_DID_ANYTHING} DESC, started_at DESC",
            account_ids,
        )
    )


async def begin(
    conn: Conn,
    account_id: str,
    run_id: str,
    *,
    since: datetime,
    until: datetime,
    preview: Mapping[str, Any],
    too_old: Sequence[str],
) -> None:
    """Open the run, take up the calls of everything held, and mark these effects as too old."""
    await conn.execute(
        "INSERT INTO backfill_run (account_id, run_id, state, since, until, preview, calls_total, started_at)"
        " VALUES ($1, $2, 'running', $3, $4, $5, 0, $4)",
        account_id,
        run_id,
        since,
        until,
        dict(preview),
    )
    await conn.execute(_TAKE_UP, account_id, run_id, until)
    await conn.execute(
        "UPDATE effect SET state = 'expired', error_code = 'too-old'"
        " WHERE account_id = $1 AND effect_key = ANY($2) AND state = 'held'",
        account_id,
        list(too_old),
    )
    await conn.execute(_TAKE_UP_CLIENTS, account_id, run_id, until)
    await conn.execute(
        "UPDATE backfill_run SET calls_total = (SELECT count(*) FROM backfill_call WHERE account_id = $1"
        " AND run_id = $2) WHERE account_id = $1 AND run_id = $2",
        account_id,
        run_id,
    )


async def expire_all(conn: Conn, account_id: str, note: str) -> int:
    done = await conn.execute(
        "UPDATE effect SET state = 'expired', error_code = 'not-wanted', note = $2"
        " WHERE account_id = $1 AND system = 'crm' AND state = 'held'",
        account_id,
        note,
    )
    return int(done.split()[-1])


async def delete_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Delete runs that ended earlier, and which calls they took up, some at a time. How many rows."""
    done: str = await conn.execute(
        "DELETE FROM backfill_call WHERE (account_id, run_id, call_id) IN (SELECT account_id, run_id, call_id"
        " FROM backfill_call JOIN backfill_run USING (account_id, run_id) WHERE ended_at < $1 LIMIT $2)",
        before,
        limit,
    )
    if not (calls := int(done.split()[-1])):
        done = await conn.execute("DELETE FROM backfill_run WHERE ended_at < $1", before)
    return calls or int(done.split()[-1])


async def set_state(conn: Conn, account_id: str, run_id: str, state: str, now: datetime) -> None:
    await conn.execute(
        "UPDATE backfill_run SET state = $3, changed_at = $4::timestamptz,"
        " ended_at = CASE WHEN $3 IN ('stopped', 'done') THEN $4::timestamptz END WHERE account_id = $1 AND run_id = $2",
        account_id,
        run_id,
        state,
        now,
    )


async def hold_again(conn: Conn, account_id: str, lane: int) -> int:
    """Hold again what was released and not sent yet."""
    done = await conn.execute(
        "UPDATE effect SET state = 'held' WHERE account_id = $1 AND system = 'crm' AND state = 'waiting' AND lane = $2"
        " AND crm_extra ? 'run'",
        account_id,
        lane,
    )
    return int(done.split()[-1])


async def next_held(conn: Conn, account_id: str, until: datetime, limit: int) -> list[asyncpg.Record]:
    return list(await conn.fetch(_NEXT, account_id, until, limit))


async def release(
    conn: Conn, account_id: str, run_id: str, rows: Sequence[Mapping[str, Any]], lane: int
) -> None:
    payload = orjson.dumps(list(rows)).decode()
    await conn.execute(_RELEASE, account_id, payload, lane, run_id)


async def count_open(conn: Conn, account_id: str, lane: int) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM effect WHERE account_id = $1 AND system = 'crm' AND lane = $2"
        " AND state IN ('waiting', 'sending', 'unknown')",
        account_id,
        lane,
    )
    return found


async def progress(conn: Conn, runs: Sequence[RunKey]) -> dict[RunKey, Mapping[str, int]]:
    """Whoever looks on asks every second, and of a large run counting takes long: then it is done in a twentieth of the
    time, and what was counted last is told in between. The same number of queries, however many runs."""
    if not runs:
        return {}
    kept = await conn.fetch(_KEPT, *_columns(runs))
    found = {(r["account_id"], r["run_id"]): r["counts"] for r in kept}
    left = [run for run in runs if run not in found]
    if not left:
        return found
    began = time.monotonic()
    counted = {(r["account_id"], r["run_id"]): _counts(r) for r in await conn.fetch(_COUNT, *_columns(left))}
    if (seconds := time.monotonic() - began) > _QUICK_SECONDS:
        texts = [orjson.dumps(counts).decode() for counts in counted.values()]
        await conn.execute(_KEEP, *_columns(counted), texts, timedelta(seconds=seconds * _REST))
    return found | counted


def _columns(runs: Iterable[RunKey]) -> tuple[list[str], list[str]]:
    runs = list(runs)
    return [account_id for account_id, _ in runs], [run_id for _, run_id in runs]


def _counts(row: asyncpg.Record) -> dict[str, int]:
    return {name: n for name, n in row.items() if name not in ("account_id", "run_id")}


async def report(conn: Conn, account_id: str, run_id: str, after: int, limit: int) -> list[asyncpg.Record]:
    return list(await conn.fetch(_REPORT, account_id, run_id, after, limit))


async def zone_and_rate(conn: Conn, account_id: str) -> tuple[str, int]:
    row = await conn.fetchrow(
        "SELECT time_zone, coalesce((settings->>'requests_per_second')::int, 7) AS rate FROM account"
        " WHERE account_id = $1",
        account_id,
    )
    return (row["time_zone"], row["rate"]) if row else ("Europe/Moscow", 7)
