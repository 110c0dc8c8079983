"""People sign in: whoever guesses is slowed for all gateways together, and nobody is shut out by a stranger."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.protection.sign_in import (
    FREE_OF_LOGIN,
    LONGEST_PAUSE,
    SignInPaused,
    SignInRefused,
    SignIns,
    pause_after,
)
from gateway.admin.users import UserOrder, add_user, change_user
from gateway.store.admin.sign_ins import Tries, forget_old_tries
from gateway.store.admin.users import set_password
from runtime.database.pool import open_pool

HOME, STRANGER = "192.0.2.10", "198.51.100.7"
PASSWORD = "long enough to keep"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
async def sign_ins(pool: asyncpg.Pool) -> SignIns:
    async with pool.acquire() as conn:
        for login in ("anna", "olga"):
            await add_user(conn, UserOrder(login=login, role="admin", password=PASSWORD))
            await set_password(conn, login, CHEAP.hash(PASSWORD))
    return SignIns(pool, first_pause=60, hasher=CHEAP)


async def _wrong(sign_ins: SignIns, login: str, address: str, count: int = 1) -> list[type[Exception]]:
    seen: list[type[Exception]] = []
    for _ in range(count):
        try:
            await sign_ins.sign_in(login, "a wrong password", address)
        except (SignInRefused, SignInPaused) as err:
            seen.append(type(err))
    return seen


async def test_who_knows_the_password_is_let_in(sign_ins: SignIns) -> None:
    assert (await sign_ins.sign_in(" Anna ", PASSWORD, HOME)).login == "anna"


async def test_a_login_is_paused_after_five_wrong_passwords_from_wherever(
    sign_ins: SignIns, pool: asyncpg.Pool
) -> None:
    for i in range(FREE_OF_LOGIN):
        assert await _wrong(sign_ins, "anna", f"198.51.100.{i}") == [SignInRefused]
    with pytest.raises(SignInPaused) as paused:
        await sign_ins.sign_in("anna", PASSWORD, HOME)
    assert 50 < paused.value.seconds <= 60
    await pool.execute("UPDATE sign_in_try SET last_at = last_at - interval '61 seconds'")
    assert (await sign_ins.sign_in("anna", PASSWORD, HOME)).login == "anna"


async def test_a_person_is_not_shut_out_where_they_have_signed_in_before(sign_ins: SignIns) -> None:
    await sign_ins.sign_in("anna", PASSWORD, HOME)
    assert SignInPaused in await _wrong(sign_ins, "anna", STRANGER, 20)
    assert (await sign_ins.sign_in("anna", PASSWORD, HOME)).login == "anna"


async def test_a_right_password_is_taken_at_once_after_a_thousand_wrong_ones_from_its_address(
    sign_ins: SignIns,
) -> None:
    refused = await asyncio.gather(*(_wrong(sign_ins, f"guess{i % 7}", HOME) for i in range(1000)))
    assert sum(seen == [SignInPaused] for seen in refused) > 900
    began = time.perf_counter()
    assert (await sign_ins.sign_in("olga", PASSWORD, HOME)).login == "olga"
    assert time.perf_counter() - began < 10


async def test_an_address_that_tries_many_logins_has_one_try_at_each(sign_ins: SignIns) -> None:
    assert await _wrong(sign_ins, "anna", STRANGER) == [SignInRefused]
    for i in range(22):
        await _wrong(sign_ins, f"nobody{i}", STRANGER)
    assert await _wrong(sign_ins, "anna", STRANGER) == [SignInPaused]
    assert await _wrong(sign_ins, "olga", STRANGER, 2) == [SignInRefused, SignInPaused]


async def test_two_gateways_share_what_they_saw(sign_ins: SignIns, database_url: str) -> None:
    async with await open_pool(database_url, max_size=2) as other_pool:
        other = SignIns(other_pool, first_pause=60, hasher=CHEAP)
        await _wrong(sign_ins, "anna", STRANGER, 3)
        await _wrong(other, "anna", STRANGER, 2)
        assert await _wrong(sign_ins, "anna", HOME) == [SignInPaused]


async def test_a_hundred_tries_at_once_are_no_more_than_one_after_the_other(sign_ins: SignIns) -> None:
    seen = await asyncio.gather(*(_wrong(sign_ins, "anna", f"198.51.100.{i}") for i in range(100)))
    assert sum(s == [SignInRefused] for s in seen) == FREE_OF_LOGIN


async def test_nobody_learns_whether_a_login_exists(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await add_user(conn, UserOrder(login="anna", role="admin", password=PASSWORD))
    sign_ins = SignIns(pool, first_pause=60)
    took: dict[str, list[float]] = {"anna": [], "nobody": []}
    said = set()
    await _wrong(sign_ins, "first", "203.0.113.250")
    for i in range(5):
        for login, times in took.items():
            began = time.perf_counter()
            with pytest.raises(SignInRefused) as refused:
                await sign_ins.sign_in(login, "a wrong password", f"203.0.113.{i}")
            times.append(time.perf_counter() - began)
            said.add(str(refused.value))
    assert len(said) == 1
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.33 < known / unknown < 3  # without the dummy: a hundred
    assert [await _wrong(sign_ins, login, HOME) for login in took] == [[SignInPaused], [SignInPaused]]


@pytest.mark.parametrize("login", ["", "\x00", "a" * 10_000, "\ud800", "'; DROP TABLE admin_user"])
async def test_what_is_no_login_is_refused_like_any_other(sign_ins: SignIns, login: str) -> None:
    assert await _wrong(sign_ins, login, HOME) == [SignInRefused]


async def test_who_was_switched_off_is_refused(sign_ins: SignIns, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await change_user(conn, "anna", {"is_on": False})
    with pytest.raises(SignInRefused):
        await sign_ins.sign_in("anna", PASSWORD, HOME)


async def test_old_tries_are_forgotten_and_nothing_of_what_was_typed_is_kept(
    sign_ins: SignIns, pool: asyncpg.Pool
) -> None:
    await _wrong(sign_ins, "secret-typed-here", STRANGER)
    await sign_ins.sign_in("anna", PASSWORD, HOME)
    rows = [dict(row) for row in await pool.fetch("SELECT * FROM sign_in_try")]
    assert "secret-typed-here" not in repr(rows)
    await pool.execute("UPDATE sign_in_try SET last_at = now() - interval '2 hours'")
    async with pool.acquire() as conn:
        assert await forget_old_tries(conn, limit=100) == len(rows) - 1  # where Anna signed in stays
        assert await forget_old_tries(conn, limit=100) == 0


@given(st.integers(0, 10_000), st.floats(0, 5000))
def test_pauses_grow_and_end(failures: int, ago: float) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    last = now - timedelta(seconds=ago)
    pause = pause_after(Tries(failures=failures, last_at=last), FREE_OF_LOGIN, now)
    assert 0 <= pause <= LONGEST_PAUSE.total_seconds()
    assert (pause == 0) or failures >= FREE_OF_LOGIN
    assert pause <= pause_after(Tries(failures=failures + 1, last_at=last), FREE_OF_LOGIN, now) or ago > 3600
