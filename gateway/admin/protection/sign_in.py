"""Who signs in with a password: checked in a thread, slowed where somebody guesses, and never told what was wrong.

Two counters slow a guesser, kept in the database for all gateways: one of the login, one of the address. Neither shuts
out a person who knows the password because a stranger does not: where a login has signed in before it is judged by what
went wrong there alone, and an address from which many are guessed may still try each login once.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.store.admin import sign_ins as store
from gateway.store.admin.sign_ins import FAILURES_MATTER, SIGNED_IN_MATTERS, Tries, TryKind
from gateway.store.admin.users import AdminUser, is_login, password_hash_of, users
from runtime.backoff import grown_pause
from runtime.doors.admissions import network_of
from runtime.doors.seldom import SeldomTold
from runtime.doors.tally import Tally
from runtime.metrics import Sample
from runtime.tokens import hash_of

FREE_OF_LOGIN, FREE_OF_ADDRESS = 5, 20
FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = timedelta(minutes=15)
_AT_ONCE = 2  # each takes some 50 ms of a core and 64 MiB
_MOST_WAITING = 16
_LONGEST_PASSWORD = 1000


class SignInRefused(Exception):
    """The login or the password is wrong: nobody is told which."""

    code = "sign-in-refused"


class SignInPaused(Exception):
    """Too many went wrong before. seconds: until the next try is looked at; answered with 429 and Retry-After."""

    code = "too-many-attempts"

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong passwords")
        self.seconds = max(1, math.ceil(seconds))


def pause_after(tries: Tries, free: int, now: datetime, first: float = FIRST_PAUSE) -> float:
    """Seconds: 1, 2, 4, … up to a quarter of an hour, from the failure after the free ones on."""
    if tries.last_at is None or tries.failures < free or now - tries.last_at > FAILURES_MATTER:
        return 0.0
    pause = grown_pause(tries.failures - free + 1, first, LONGEST_PAUSE.total_seconds())
    return max(0.0, pause - (now - tries.last_at).total_seconds())


def pause_of(known: Mapping[TryKind, Tries], now: datetime, first: float = FIRST_PAUSE) -> float:
    """Return the seconds that this login waits at this address, 0 = it may try."""
    login, pair = known["login"], known["pair"]
    if _is_known_here(pair, now):
        return pause_after(pair, FREE_OF_LOGIN, now, first)
    is_fresh = _failures(login, now) == 0
    of_address = 0.0 if is_fresh else pause_after(known["address"], FREE_OF_ADDRESS, now, first)
    return max(pause_after(login, FREE_OF_LOGIN, now, first), of_address)


def _is_known_here(pair: Tries, now: datetime) -> bool:
    return pair.signed_in_at is not None and now - pair.signed_in_at < SIGNED_IN_MATTERS


def _failures(tries: Tries, now: datetime) -> int:
    """Those that still matter."""
    return tries.failures if tries.last_at and now - tries.last_at <= FAILURES_MATTER else 0


class SignIns:
    """One of a process, for all doors at which people sign in. first_pause: seconds. hasher: as those of people were made."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        tally: Tally | None = None,
        *,
        first_pause: float = FIRST_PAUSE,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._first_pause = first_pause
        self._pool, self._tally = pool, tally or Tally()
        self._told = SeldomTold("sign-in-refused")
        self._hasher = hasher or PasswordHasher()
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self.paused = 0

    async def sign_in(self, login: str, password: str, address: str) -> AdminUser:
        """Return the person. address: where from. Raise SignInRefused, SignInPaused."""
        login = login.strip().lower()
        network = network_of(address)
        keys: dict[TryKind, str] = {
            "login": hash_of(login),
            "address": network,
            "pair": hash_of(f"{login} {network}"),
        }
        claimed = await self._claim(keys, address)
        stored = await self._stored_hash(login)
        is_right = await self._verified(stored, password, claimed)
        person = await self._signed_in(login, stored, keys) if is_right and stored else None
        if person is None:
            self._note(address)
            raise SignInRefused("the login or the password is wrong")
        return person

    async def _claim(self, keys: Mapping[TryKind, str], address: str) -> dict[TryKind, str]:
        """Count the try as a failure before it is looked at: many that come at once count too. Return what it was counted of."""
        claimed: dict[TryKind, str] = {}
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock_tries(conn, keys)
            now, known = await store.tries_of(conn, keys)
            pause = pause_of(known, now, self._first_pause)
            if not pause:
                claimed = {kind: keys[kind] for kind in _counted(known, now)}
                for kind in claimed:
                    await store.set_failures(conn, kind, keys[kind], _failures(known[kind], now) + 1)
        if pause:
            self.paused += 1
            self._note(address)
            raise SignInPaused(pause)
        return claimed

    async def _stored_hash(self, login: str) -> str | None:
        async with self._pool.acquire() as conn:
            return await password_hash_of(conn, login if is_login(login) else "")

    async def _verified(self, stored: str | None, password: str, claimed: Mapping[TryKind, str]) -> bool:
        """Take as long for a login that nobody has as for a wrong password."""
        if self._waiting >= _MOST_WAITING:
            await self._take_back(claimed)
            raise SignInPaused(1)
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(_fits, self._hasher, stored, password[:_LONGEST_PASSWORD])
        finally:
            self._waiting -= 1

    async def _take_back(self, claimed: Mapping[TryKind, str]) -> None:
        async with self._pool.acquire() as conn:
            for kind, key in claimed.items():
                await store.take_back_failure(conn, kind, key)

    async def _signed_in(self, login: str, stored: str, keys: Mapping[TryKind, str]) -> AdminUser | None:
        """None: the person was switched off, or the password changed, while it was looked at."""
        async with self._pool.acquire() as conn, conn.transaction():
            if await password_hash_of(conn, login) != stored:
                return None
            await store.lock_tries(conn, keys)
            await store.take_back_failure(conn, "address", keys["address"])
            await store.note_signed_in(conn, keys)
            return next((user for user in await users(conn) if user.login == login), None)

    def _note(self, address: str) -> None:
        self._told.note(address)
        self._tally.note("sign-in", "", address)

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "sign_in_refused", "Sign-ins with a wrong login or password", {}, self._told.total
        yield "counter", "sign_in_paused", "of them not looked at, too many went before", {}, self.paused


def _counted(known: Mapping[TryKind, Tries], now: datetime) -> tuple[TryKind, ...]:
    return ("address", "pair") if _is_known_here(known["pair"], now) else ("address", "login")


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    """Return a hash as costly as a person's."""
    return hasher.hash("nobody has this password")


def _fits(hasher: PasswordHasher, stored: str | None, password: str) -> bool:
    compared = _nobodys(hasher)
    try:
        return (
            hasher.verify(stored or compared, password.encode("utf-8", "surrogatepass"))
            and stored is not None
        )
    except (VerificationError, InvalidHashError):
        return False
