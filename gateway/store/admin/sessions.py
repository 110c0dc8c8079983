"""Sessions of the pages, as rows. What the browser keeps is stored as its hash only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from gateway.store.admin.bindings import Bindings, bindings_of
from gateway.store.admin.roles import Role
from runtime.database.pool import Conn

IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=12)
HALF_WAY = timedelta(minutes=10)
"""Between password and code."""

SignInStage = Literal["full", "code", "enrol"]
"""full: signed in. code: the code of the second factor is still to come. enrol: a second factor is to be set up first."""

_COLUMNS = (
    "session_id, login, stage, is_by_link, s.created_at, seen_at, address, agent,"
    " name, role, account_id, employee, templates, schedules, counters, language, theme"
)
_SESSIONS = f"SELECT {_COLUMNS} FROM page_session AS s JOIN admin_user USING (login)"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """id: names it, opens nothing. name … theme: of the person, as they are now. language: None = as the browser asks.

    is_by_link: begun without the password. address: where it was last seen. agent: what the browser calls itself.
    """

    id: str
    login: str
    stage: SignInStage
    is_by_link: bool
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str
    name: str
    role: Role
    bound: Bindings
    language: Literal["ru", "en"] | None
    theme: Literal["system", "light", "dark"]


def ends_at(session: Session) -> datetime:
    longest = ABSOLUTE if session.stage == "full" else HALF_WAY
    return min(session.created_at + longest, session.seen_at + IDLE)


def is_open(session: Session, now: datetime) -> bool:
    """Whether somebody is signed in by it."""
    return session.stage == "full" and now < ends_at(session)


async def add_session(
    conn: Conn,
    *,
    id: str,
    secret_hash: str,
    login: str,
    stage: SignInStage,
    is_by_link: bool,
    now: datetime,
    address: str,
    agent: str,
) -> None:
    await conn.execute(
        "INSERT INTO page_session (session_id, secret_hash, login, stage, is_by_link, created_at, seen_at, address, agent)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)",
        id,
        secret_hash,
        login,
        stage,
        is_by_link,
        now,
        address,
        agent,
    )


async def session_of(conn: Conn, secret_hash: str) -> Session | None:
    row = await conn.fetchrow(f"{_SESSIONS} WHERE secret_hash = $1 AND is_on", secret_hash)
    return _session(row) if row else None


async def session_named(conn: Conn, id: str) -> Session | None:
    row = await conn.fetchrow(f"{_SESSIONS} WHERE session_id = $1 AND is_on", id)
    return _session(row) if row else None


async def sessions_of(
    conn: Conn, logins: list[str], *, begun_after: datetime, seen_after: datetime
) -> list[Session]:
    """Those that are signed in, the one that was seen last first."""
    rows = await conn.fetch(
        f"{_SESSIONS} WHERE login = ANY($1) AND stage = 'full' AND s.created_at > $2 AND seen_at > $3"
        " ORDER BY seen_at DESC, session_id",
        logins,
        begun_after,
        seen_after,
    )
    return [_session(row) for row in rows]


async def note_seen(conn: Conn, id: str, now: datetime, address: str) -> None:
    await conn.execute(
        "UPDATE page_session SET seen_at = $2, address = $3 WHERE session_id = $1", id, now, address
    )


async def note_wrong_code(conn: Conn, id: str) -> int:
    """Return how many there were in this session; 0: there is no such session any more."""
    told: int | None = await conn.fetchval(
        "UPDATE page_session SET wrong_codes = wrong_codes + 1 WHERE session_id = $1 RETURNING wrong_codes",
        id,
    )
    return told or 0


async def end_session(conn: Conn, id: str, login: str | None = None) -> bool:
    """Whether there was one. login: only if it is of this person."""
    done: str = await conn.execute(
        "DELETE FROM page_session WHERE session_id = $1 AND ($2::text IS NULL OR login = $2)", id, login
    )
    return done != "DELETE 0"


async def end_sessions_of(conn: Conn, login: str, but: str = "") -> int:
    """How many were ended. but: this one stays."""
    done: str = await conn.execute(
        "DELETE FROM page_session WHERE login = $1 AND session_id <> $2", login, but
    )
    return int(done.split()[-1])


async def end_oldest_beyond(conn: Conn, login: str, most: int) -> None:
    await conn.execute(
        "DELETE FROM page_session WHERE session_id IN"
        " (SELECT session_id FROM page_session WHERE login = $1 ORDER BY seen_at DESC OFFSET $2)",
        login,
        most,
    )


async def delete_ended_sessions(
    conn: Conn, begun_before: datetime, seen_before: datetime, *, limit: int
) -> int:
    done: str = await conn.execute(
        "DELETE FROM page_session WHERE session_id IN"
        " (SELECT session_id FROM page_session WHERE created_at < $1 OR seen_at < $2 LIMIT $3)",
        begun_before,
        seen_before,
        limit,
    )
    return int(done.split()[-1])


async def set_liking(conn: Conn, login: str, *, language: str | None, theme: str) -> None:
    """How somebody likes to read. language: None = as the browser asks."""
    await conn.execute(
        "UPDATE admin_user SET language = $2, theme = $3 WHERE login = $1", login, language, theme
    )


def _session(row: asyncpg.Record) -> Session:
    same = {n: row[n] for n in Session.__slots__ if n not in ("id", "bound")}
    return Session(id=row["session_id"], bound=bindings_of(row), **same)
