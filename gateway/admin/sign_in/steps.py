"""Signing in to the pages, step by step: password or link, then the second factor where there is one."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import structlog

from gateway.admin.protection.sign_in import SignInRefused, SignIns
from gateway.admin.sign_in.second_factor import Needed, is_code_right, needs_second_factor
from gateway.admin.sign_in.sessions import Begun, Sessions, Whence
from gateway.admin.users import user_of
from gateway.store.admin.sessions import Session, SignInStage
from gateway.store.admin.users import AdminUser
from gateway.store.sign_in import links
from runtime.tokens import hash_of

log = structlog.get_logger(__name__)


class PageSignIn:
    """needed: who must have a second factor."""

    def __init__(self, pool: asyncpg.Pool, sign_ins: SignIns, sessions: Sessions, needed: Needed) -> None:
        self._pool, self._sign_ins, self._sessions, self._needed = pool, sign_ins, sessions, needed

    async def with_password(self, login: str, password: str, whence: Whence, now: datetime) -> Begun:
        """Raise SignInRefused, SignInPaused."""
        user = await self._sign_ins.sign_in(login, password, whence.address)
        return await self._begin(user, whence, now)

    async def verify(self, login: str, password: str, whence: Whence) -> None:
        """Ask somebody who is signed in for their password once more. Raise SignInRefused, SignInPaused."""
        await self._sign_ins.sign_in(login, password, whence.address)

    async def with_link(self, secret: str, whence: Whence, now: datetime, *, is_local: bool) -> Begun:
        """Raise SignInRefused for a link that is used, too old, or for another machine."""
        async with self._pool.acquire() as conn, conn.transaction():
            login = await links.take_link(conn, hash_of(secret), now, is_local=is_local)
            user = await user_of(conn, login) if login else None
        if user is None or not user.is_on:
            raise SignInRefused("the link was used or is too old")
        return await self._begin(user, whence, now, is_by_link=True)

    async def is_link(self, secret: str, now: datetime, *, is_local: bool) -> bool:
        async with self._pool.acquire() as conn:
            return await links.is_link(conn, hash_of(secret), now, is_local=is_local)

    async def with_code(self, half: Session, code: str, whence: Whence, now: datetime) -> Begun | None:
        """Go on from the password. None: wrong, once more. Raise SignInRefused where it begins anew, SignInPaused."""
        if not await is_code_right(self._pool, half.login, code, now):
            if await self._sessions.note_wrong_code(half):
                return None
            raise SignInRefused("too many wrong codes")
        return await self._full(half, whence, now)

    async def enrolled(self, half: Session, whence: Whence, now: datetime) -> Begun:
        """Go on once a second factor was set up."""
        return await self._full(half, whence, now)

    async def _full(self, half: Session, whence: Whence, now: datetime) -> Begun:
        await self._sessions.end(half)
        log.info("signed-in", login=half.login, address=whence.address)
        return await self._sessions.begin(half.login, whence, now, stage="full", is_by_link=half.is_by_link)

    async def _begin(
        self, user: AdminUser, whence: Whence, now: datetime, *, is_by_link: bool = False
    ) -> Begun:
        stage = self._stage(user)
        if stage == "full":
            log.info("signed-in", login=user.login, address=whence.address)
        return await self._sessions.begin(user.login, whence, now, stage=stage, is_by_link=is_by_link)

    def _stage(self, user: AdminUser) -> SignInStage:
        if user.has_second_factor:
            return "code"
        return "enrol" if needs_second_factor(self._needed, user.role) else "full"
