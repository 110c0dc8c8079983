"""Long work as rows: asked for, taken by one worker, done with progress, stopped on demand."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from gateway.store.admin.audit import AuditChange, record
from runtime.database import channels
from runtime.database.pool import Conn

TaskState = Literal["waiting", "running", "done", "failed", "cancelled"]

_KEPT = timedelta(days=7)
_LOST = timedelta(seconds=60)
_BRIEF = (
    "account_id, work_id, kind, state, asked, asked_by, done, total, error, is_stopped, created_at, started_at,"
    " ended_at"
)

_ASK = f"""
INSERT INTO long_work (account_id, work_id, kind, asked, asked_by) VALUES ($1, $2, $3, $4, $5) RETURNING {_BRIEF}
"""  # noqa: S608 - a constant list of columns
_TAKE = f"""
UPDATE long_work SET state = 'running', done = 0, started_at = now(), heard_at = now()
WHERE (account_id, work_id) IN (SELECT account_id, work_id FROM long_work WHERE kind = ANY($1)
    AND (state = 'waiting' OR state = 'running' AND heard_at < now() - $2::interval)
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {_BRIEF}
"""  # noqa: S608
_STOP = f"""
UPDATE long_work SET is_stopped = is_stopped OR state IN ('waiting', 'running'),
    ended_at = CASE WHEN state = 'waiting' THEN now() ELSE ended_at END,
    state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END
WHERE account_id = $1 AND work_id = $2 RETURNING {_BRIEF}
"""  # noqa: S608


class NoSuchWork(Exception):
    """No work of this id. It is forgotten a week after it was asked for."""

    code = "no-such-work"


class TooMuchWork(Exception):
    """So much of this kind waits already. Wait until some of it is done, or stop it."""

    code = "too-much-work"


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTask:
    """total: how many steps, None = not known yet. result: only where it was read with its result, and done."""

    account_id: str
    work_id: str
    kind: str
    state: TaskState
    asked: Mapping[str, Any]
    asked_by: str
    done: int
    total: int | None
    error: str | None
    is_stopped: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    result: Mapping[str, Any] | None = None


async def delete_ended(conn: Conn, *, limit: int) -> int:
    """Delete tasks that were asked for long ago, of accounts that ask for no more as well. How many."""
    done: str = await conn.execute(
        "DELETE FROM long_work WHERE (account_id, work_id) IN (SELECT account_id, work_id FROM long_work"
        " WHERE created_at < now() - $1::interval AND state NOT IN ('waiting', 'running') LIMIT $2)",
        _KEPT,
        limit,
    )
    return int(done.split()[-1])


async def ask(
    conn: Conn, account_id: str, kind: str, asked: Mapping[str, Any], by: str, *, most_open: int = 5
) -> LongTask:
    """Workers are told when the transaction commits. Raises TooMuchWork."""
    async with conn.transaction():
        await conn.execute(
            "DELETE FROM long_work WHERE account_id = $1 AND created_at < now() - $2::interval",
            account_id,
            _KEPT,
        )
        waiting = await conn.fetchval(
            "SELECT count(*) FROM long_work WHERE account_id = $1 AND kind = $2 AND state IN ('waiting', 'running')",
            account_id,
            kind,
        )
        if waiting >= most_open:
            raise TooMuchWork(f"{waiting} of kind {kind} are waiting or running")
        row = await conn.fetchrow(
            _ASK,
            account_id,
            secrets.token_hex(8),
            kind,
            dict(asked),
            by,
        )
        assert row is not None
        await channels.notify(conn, channels.LONG_TASKS, kind)
        told = AuditChange(
            what=kind, object=row["work_id"], action="asked for", account_id=account_id, after=dict(asked)
        )
        await record(conn, told)
    return _work(row)


async def take(conn: Conn, kinds: list[str]) -> LongTask | None:
    """Take the oldest that waits, or that a worker has left lying; it is this worker's from now on."""
    row = await conn.fetchrow(
        _TAKE,
        kinds,
        _LOST,
    )
    return None if row is None else _work(row)


async def progressed(conn: Conn, work: LongTask, done: int, total: int | None) -> bool:
    """Note the progress; False when it is to end: somebody stopped it, or another worker has taken it over."""
    stopped = await conn.fetchval(
        "UPDATE long_work SET done = $3, total = $4, heard_at = now() WHERE account_id = $1 AND work_id = $2"
        " AND state = 'running' AND started_at = $5 RETURNING is_stopped",
        work.account_id,
        work.work_id,
        done,
        total,
        work.started_at,
    )
    return stopped is False


async def ended(
    conn: Conn,
    work: LongTask,
    state: TaskState,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """Nothing happens when another worker has taken it over meanwhile."""
    await conn.execute(
        "UPDATE long_work SET state = $3, result = $4, error = $5, ended_at = now(),"
        " done = CASE WHEN $3 = 'done' THEN coalesce(total, done) ELSE done END"
        " WHERE account_id = $1 AND work_id = $2 AND state = 'running' AND started_at = $6",
        work.account_id,
        work.work_id,
        state,
        None if result is None else dict(result),
        error,
        work.started_at,
    )


async def stop(conn: Conn, account_id: str, work_id: str) -> LongTask:
    """Stop it: what waits is cancelled at once, what runs ends soon; what has ended stays as it is. Raises NoSuchWork."""
    async with conn.transaction():
        before = await work_of(conn, account_id, work_id)
        work = _found(await conn.fetchrow(_STOP, account_id, work_id), work_id)
        if before.state in ("waiting", "running"):
            told = AuditChange(
                what=work.kind, object=work_id, action="stopped", account_id=account_id, after={}
            )
            await record(conn, told)
        return work


async def work_of(conn: Conn, account_id: str, work_id: str) -> LongTask:
    """With its result. Raises NoSuchWork."""
    row = await conn.fetchrow(
        f"SELECT {_BRIEF}, result FROM long_work WHERE account_id = $1 AND work_id = $2",  # noqa: S608
        account_id,
        work_id,
    )
    return _found(row, work_id)


async def all_work(conn: Conn, account_id: str, kind: str | None = None) -> list[LongTask]:
    """Newest first, without results."""
    rows = await conn.fetch(
        f"SELECT {_BRIEF} FROM long_work WHERE account_id = $1 AND ($2::text IS NULL OR kind = $2)"  # noqa: S608
        " ORDER BY created_at DESC LIMIT 100",
        account_id,
        kind,
    )
    return [_work(row) for row in rows]


async def latest_work(conn: Conn, account_id: str, kind: str, asked: Mapping[str, Any]) -> LongTask | None:
    """Return the newest, with its result. asked: what it must have been asked for, among other things."""
    row = await conn.fetchrow(
        f"SELECT {_BRIEF}, result FROM long_work WHERE account_id = $1 AND kind = $2 AND asked @> $3"  # noqa: S608
        " AND state <> 'cancelled' ORDER BY created_at DESC LIMIT 1",
        account_id,
        kind,
        dict(asked),
    )
    return None if row is None else _work(row)


def _found(row: asyncpg.Record | None, work_id: str) -> LongTask:
    if row is None:
        raise NoSuchWork(work_id)
    return _work(row)


def _work(row: asyncpg.Record | None) -> LongTask:
    assert row is not None
    return LongTask(**dict(row))
