"""Who has signed in to the pages, and until when: 30 quiet minutes, 12 hours at most, or until somebody ends it.

The browser keeps 256 random bits, the database their hash. A person's role and bindings are read with each request. What
somebody may, or their password, changes: the database ends their sessions, whoever changed it (0800_sign_in.sql), and
tells every process, so that open streams end too.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from gateway.admin.refused import InputRefused
from gateway.admin.users import user_of
from gateway.store.admin import sessions as store
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.sessions import ABSOLUTE, IDLE, Session, SignInStage, ends_at
from runtime.database import channels
from runtime.database.listen import Listener
from runtime.database.pool import Conn
from runtime.tokens import hash_of, new_secret

_SEEN_EVERY = timedelta(minutes=1)
_MOST_OF_PERSON = 30
_MOST_WRONG_CODES = 5
_LONGEST_AGENT = 300


class SessionGone(InputRefused):
    """There is no such session: it has ended, or it is somebody else's."""

    code = "session-gone"

    def __init__(self) -> None:
        super().__init__("session", "this session has ended", "look at the list again")


class Begun(NamedTuple):
    """secret: for the browser, never stored. id: names the session."""

    secret: str
    id: str
    stage: SignInStage


class Whence(NamedTuple):
    """address: IP address. agent: what the browser calls itself."""

    address: str
    agent: str


def csrf_of(secret: str) -> str:
    """Return what forms of this session bring back: made of what only its browser keeps."""
    return hmac.digest(secret.encode(), b"forms of this session", "sha256").hex()


def is_csrf(expected: str, brought: str) -> bool:
    """Whether a form brought the token of its session. Compared in constant time."""
    return bool(expected) and hmac.compare_digest(expected.encode(), brought.encode("utf-8", "surrogatepass"))


class Sessions:
    """One of a process. clock: aware; read where a stream waits for a session's end."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        listener: Listener,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._listener, self._clock = pool, listener, clock

    async def begin(
        self, login: str, whence: Whence, now: datetime, *, stage: SignInStage, is_by_link: bool = False
    ) -> Begun:
        """Begin a session with an id that nobody knew before."""
        begun = Begun(new_secret(256), secrets.token_hex(8), stage)
        async with self._pool.acquire() as conn, conn.transaction():
            await store.add_session(
                conn,
                id=begun.id,
                secret_hash=hash_of(begun.secret),
                login=login,
                stage=stage,
                is_by_link=is_by_link,
                now=now,
                address=whence.address,
                agent=whence.agent[:_LONGEST_AGENT],
            )
            await store.end_oldest_beyond(conn, login, _MOST_OF_PERSON)
        return begun

    async def find(self, secret: str, address: str, now: datetime) -> Session | None:
        """Return the session whose browser brings this, while it lasts."""
        if not secret:
            return None
        async with self._pool.acquire() as conn:
            found = await store.session_of(conn, hash_of(secret))
            if found is None:
                return None
            if now >= ends_at(found):
                await store.end_session(conn, found.id)
                return None
            if now - found.seen_at >= _SEEN_EVERY or address != found.address:
                await store.note_seen(conn, found.id, now, address)
        return found

    async def end(self, session: Session) -> None:
        async with self._pool.acquire() as conn:
            await store.end_session(conn, session.id)

    async def note_wrong_code(self, session: Session) -> bool:
        """Whether it may be tried again: a few wrong ones, and the password is asked for again."""
        async with self._pool.acquire() as conn:
            if await store.note_wrong_code(conn, session.id) < _MOST_WRONG_CODES:
                return True
            await store.end_session(conn, session.id)
        return False

    async def over(self, id: str) -> None:
        """Return when this session has ended: heard of at once, or by the clock."""
        told = asyncio.Event()
        with self._listener.subscribe([channels.SESSIONS], lambda _c, _p: told.set(), told.set, only=id):
            while (left := await self._seconds_left(id)) > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await told.wait()
                told.clear()

    async def _seconds_left(self, id: str) -> float:
        async with self._pool.acquire() as conn:
            found = await store.session_named(conn, id)
        return (ends_at(found) - self._clock()).total_seconds() if found else 0.0


async def open_sessions(conn: Conn, logins: list[str], now: datetime) -> list[Session]:
    """Where these people are signed in, the last seen first."""
    return await store.sessions_of(conn, logins, begun_after=now - ABSOLUTE, seen_after=now - IDLE)


async def revoke_session(conn: Conn, login: str, id: str, of_account: str | None = None) -> None:
    """End a session of this person. Raise SessionGone."""
    async with conn.transaction():
        user = await user_of(conn, login, of_account)
        if not await store.end_session(conn, id, login):
            raise SessionGone
        await _tell(conn, login, user.account_id, 1)


async def revoke_sessions(conn: Conn, login: str, but: str = "", of_account: str | None = None) -> int:
    """End all sessions of this person. but: that one stays. How many."""
    async with conn.transaction():
        user = await user_of(conn, login, of_account)
        if count := await store.end_sessions_of(conn, login, but):
            await _tell(conn, login, user.account_id, count)
    return count


async def _tell(conn: Conn, login: str, account_id: str | None, count: int) -> None:
    change = AuditChange(
        what="user",
        object=login,
        action="sessions ended",
        account_id=account_id,
        after={"sessions_ended": count},
    )
    await record(conn, change)
