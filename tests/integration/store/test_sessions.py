"""Sessions of the pages: how they begin and end, and that every process hears of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from argon2 import PasswordHasher

from gateway.admin.protection.sign_in import SignInPaused, SignInRefused, SignIns
from gateway.admin.sign_in.links import PATH, UserIsOff, make_link
from gateway.admin.sign_in.second_factor import (
    CodeWrong,
    SecondFactorNeeded,
    confirm_second_factor,
    is_code_right,
    leave_second_factor,
    offer_second_factor,
    renew_recovery_codes,
    take_second_factor,
)
from gateway.admin.sign_in.sessions import (
    SessionGone,
    Sessions,
    Whence,
    csrf_of,
    is_csrf,
    open_sessions,
    revoke_session,
    revoke_sessions,
)
from gateway.admin.sign_in.steps import PageSignIn
from gateway.admin.sign_in.totp import STEP_SECONDS, code_of
from gateway.admin.users import UserOrder, add_user, change_user, remove_user
from gateway.admin.users import set_password as order_password
from gateway.store.admin.sessions import ABSOLUTE, HALF_WAY, IDLE
from gateway.store.admin.users import set_password
from runtime.database.listen import Listener
from runtime.database.pool import open_pool
from runtime.database.sealing import key_ring, new_key
from tests.integration.api.command_line import callmatrix

PASSWORD = "long enough to keep"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
HOME = Whence("192.0.2.10", "Mozilla/5.0 of Anna")
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
async def sealed_pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database_url, max_size=6, keys=key_ring(new_key(), None))
    async with pool.acquire() as conn:
        for login in ("anna", "olga"):
            await add_user(conn, UserOrder(login=login, role="admin", password=PASSWORD))
            await set_password(conn, login, CHEAP.hash(PASSWORD))
    yield pool
    await pool.close()


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    """Of another process than the one that ends sessions."""
    listener = Listener(database_url)
    running = asyncio.create_task(listener.run())
    yield listener
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def sessions(sealed_pool: asyncpg.Pool, listener: Listener) -> Sessions:
    return Sessions(sealed_pool, listener)


async def _begin(sessions: Sessions, now: datetime = NOW, login: str = "anna") -> str:
    return (await sessions.begin(login, HOME, now, stage="full")).secret


async def test_a_session_lasts_half_an_hour_of_silence_and_twelve_hours_at_most(sessions: Sessions) -> None:
    quiet = await _begin(sessions)
    assert await sessions.find(quiet, HOME.address, NOW + IDLE - timedelta(seconds=1))
    assert await sessions.find(
        quiet, HOME.address, NOW + IDLE + timedelta(minutes=10)
    )  # it was seen meanwhile
    assert await sessions.find(quiet, HOME.address, NOW + 2 * IDLE + timedelta(minutes=11)) is None
    busy, at = await _begin(sessions), NOW
    while at < NOW + ABSOLUTE - timedelta(minutes=20):
        at += timedelta(minutes=20)
        assert await sessions.find(busy, HOME.address, at) or at >= NOW + ABSOLUTE
    assert await sessions.find(busy, HOME.address, NOW + ABSOLUTE) is None


async def test_only_the_hash_is_stored_and_a_list_opens_nothing(
    sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    begun = await sessions.begin("anna", HOME, NOW, stage="full")
    row = dict((await sealed_pool.fetch("SELECT * FROM page_session"))[0])
    assert begun.secret not in repr(row)
    assert len(begun.secret) == 43  # 256 bits
    assert await sessions.find(begun.id, HOME.address, NOW) is None
    assert await sessions.find(row["secret_hash"], HOME.address, NOW) is None


async def test_it_is_written_seldom_that_somebody_was_seen(
    sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    secret = await _begin(sessions)
    for seconds in range(0, 180, 10):
        await sessions.find(secret, HOME.address, NOW + timedelta(seconds=seconds))
    seen_at = await sealed_pool.fetchval("SELECT seen_at FROM page_session")
    assert seen_at == NOW + timedelta(seconds=120)


async def test_whatever_somebody_may_is_read_anew_and_a_change_of_it_ends_their_sessions(
    sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    async with sealed_pool.acquire() as conn:
        for change in ({"role": "manager"}, {"is_on": False}, {"is_on": True, "role": "admin"}):
            await change_user(conn, "anna", {"is_on": True})
            secret, others = await _begin(sessions), await _begin(sessions, login="olga")
            await change_user(conn, "anna", change)
            assert await sessions.find(secret, HOME.address, NOW) is None, change
            assert await sessions.find(others, HOME.address, NOW)
        secret = await _begin(sessions)
        await change_user(conn, "anna", {"name": "Anna N."})
        session = await sessions.find(secret, HOME.address, NOW)
        assert session is not None
        assert (session.name, session.role) == ("Anna N.", "admin")
        await order_password(conn, "anna", "another one, long enough")
        assert await sessions.find(secret, HOME.address, NOW) is None
        secret = await _begin(sessions)
        await remove_user(conn, "anna")
        assert await sessions.find(secret, HOME.address, NOW) is None


async def test_every_process_hears_within_a_second_that_a_session_ended(
    sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    now = datetime.now(UTC)
    begun = [await sessions.begin("anna", HOME, now, stage="full") for _ in range(3)]
    waiting = [asyncio.create_task(sessions.over(one.id)) for one in begun]
    await asyncio.sleep(0.5)
    assert not any(task.done() for task in waiting)
    began = time.monotonic()
    async with sealed_pool.acquire() as conn:
        await revoke_session(conn, "anna", begun[0].id)
        await asyncio.wait_for(waiting[0], 1)
        assert not waiting[1].done()
        assert await revoke_sessions(conn, "anna", but=begun[1].id) == 1
        await asyncio.wait_for(waiting[2], 1)
        assert not waiting[1].done()
        await change_user(conn, "anna", {"role": "manager"})
    await asyncio.wait_for(waiting[1], 1)
    assert time.monotonic() - began < 2
    await asyncio.wait_for(sessions.over("never was"), 1)


async def test_a_stream_ends_by_the_clock_too(sealed_pool: asyncpg.Pool, listener: Listener) -> None:
    sessions = Sessions(sealed_pool, listener, lambda: NOW + ABSOLUTE - timedelta(seconds=0.3))
    begun = await sessions.begin("anna", HOME, NOW, stage="full")
    await sealed_pool.execute("UPDATE page_session SET seen_at = $1", NOW + ABSOLUTE)
    over = asyncio.create_task(sessions.over(begun.id))
    await asyncio.sleep(0.15)
    assert not over.done()
    late = Sessions(sealed_pool, listener, lambda: NOW + ABSOLUTE)
    await asyncio.wait_for(late.over(begun.id), 2)
    over.cancel()


async def test_nobody_ends_anothers_session_by_its_id(sessions: Sessions, sealed_pool: asyncpg.Pool) -> None:
    begun = await sessions.begin("olga", HOME, NOW, stage="full")
    async with sealed_pool.acquire() as conn:
        with pytest.raises(SessionGone):
            await revoke_session(conn, "anna", begun.id)
        assert [s.login for s in await open_sessions(conn, ["anna", "olga"], NOW)] == ["olga"]
    assert await sessions.find(begun.secret, HOME.address, NOW)


def test_a_forms_token_is_of_one_session() -> None:
    assert is_csrf(csrf_of("one"), csrf_of("one"))
    for wrong in ("", csrf_of("two"), csrf_of("one")[:-1], "\ud800", "я"):
        assert not is_csrf(csrf_of("one"), wrong)
    assert not is_csrf("", "")


@pytest.fixture
def page_sign_in(sealed_pool: asyncpg.Pool, sessions: Sessions) -> PageSignIn:
    return PageSignIn(sealed_pool, SignIns(sealed_pool, hasher=CHEAP), sessions, "admins")


async def _with_factor(pool: asyncpg.Pool, login: str, now: datetime) -> tuple[str, list[str]]:
    async with pool.acquire() as conn:
        secret = await offer_second_factor(conn, login)
        assert await offer_second_factor(conn, login) == secret
        with pytest.raises(CodeWrong):
            await confirm_second_factor(conn, login, "000 000 0", now)
        return secret, await confirm_second_factor(conn, login, code_of(secret, _step(now)), now)


def _step(now: datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


async def test_who_needs_a_second_factor_sets_it_up_first_and_gives_a_code_from_then_on(
    page_sign_in: PageSignIn, sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    half = await page_sign_in.with_password("anna", PASSWORD, HOME, NOW)
    assert half.stage == "enrol"
    secret, _ = await _with_factor(sealed_pool, "anna", NOW)
    session = await sessions.find(half.secret, HOME.address, NOW)
    assert session is not None
    full = await page_sign_in.enrolled(session, HOME, NOW)
    assert (full.stage, full.secret != half.secret) == ("full", True)
    assert await sessions.find(half.secret, HOME.address, NOW) is None
    later = NOW + timedelta(minutes=5)
    half = await page_sign_in.with_password("anna", PASSWORD, HOME, later)
    assert half.stage == "code"
    session = await sessions.find(half.secret, HOME.address, later)
    assert session is not None
    assert await page_sign_in.with_code(session, "000000", HOME, later) is None
    code = code_of(secret, _step(later))
    full_again = await page_sign_in.with_code(session, f" {code[:3]} {code[3:]}", HOME, later)
    assert full_again is not None
    assert full_again.stage == "full"
    assert not await is_code_right(sealed_pool, "anna", code, later)  # taken
    assert await sessions.find(full_again.secret, HOME.address, later)
    stored = repr([dict(row) for row in await sealed_pool.fetch("SELECT * FROM admin_user")])
    assert secret not in stored
    assert "sealed:1:" in stored


async def test_half_a_session_is_short_and_ends_after_five_wrong_codes(
    page_sign_in: PageSignIn, sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    await _with_factor(sealed_pool, "anna", NOW)
    half = await page_sign_in.with_password("anna", PASSWORD, HOME, NOW)
    session = await sessions.find(half.secret, HOME.address, NOW)
    assert session is not None
    for _ in range(4):
        assert await page_sign_in.with_code(session, "nonsense", HOME, NOW) is None
    with pytest.raises(SignInRefused):
        await page_sign_in.with_code(session, "nonsense", HOME, NOW)
    assert await sessions.find(half.secret, HOME.address, NOW) is None
    # who knows the password may begin anew as often as they like, and yet guesses no more codes
    half = await page_sign_in.with_password("anna", PASSWORD, HOME, NOW)
    session = await sessions.find(half.secret, HOME.address, NOW)
    assert session is not None
    with pytest.raises(SignInPaused):
        await page_sign_in.with_code(session, "nonsense", HOME, NOW)
    assert await sessions.find(half.secret, HOME.address, NOW + HALF_WAY) is None


async def test_a_code_on_paper_lets_in_once(sealed_pool: asyncpg.Pool) -> None:
    _, codes = await _with_factor(sealed_pool, "anna", NOW)
    assert len(set(codes)) == 10
    assert await is_code_right(sealed_pool, "anna", codes[0].upper().replace("-", " "), NOW)
    assert not await is_code_right(sealed_pool, "anna", codes[0], NOW)
    async with sealed_pool.acquire() as conn:
        renewed = await renew_recovery_codes(conn, "anna")
    assert not await is_code_right(sealed_pool, "anna", codes[1], NOW)
    assert await is_code_right(sealed_pool, "anna", renewed[1], NOW)
    assert codes[2] not in repr([dict(row) for row in await sealed_pool.fetch("SELECT * FROM recovery_code")])
    told = await sealed_pool.fetch("SELECT action FROM audit WHERE object = 'anna' ORDER BY seq")
    assert [row["action"] for row in told][1:] == [
        "second factor on",
        "recovery code used",
        "recovery codes made",
        "recovery code used",
    ]


async def test_a_lost_phone_is_taken_off_by_another_and_ones_own_only_where_none_is_needed(
    sealed_pool: asyncpg.Pool, sessions: Sessions
) -> None:
    secret = await _begin(sessions)
    async with sealed_pool.acquire() as conn:
        assert not await take_second_factor(conn, "anna")
    await _with_factor(sealed_pool, "anna", NOW)
    async with sealed_pool.acquire() as conn:
        with pytest.raises(SecondFactorNeeded):
            await leave_second_factor(conn, "anna", "admins")
        assert await take_second_factor(conn, "anna")
        assert await sessions.find(secret, HOME.address, NOW) is None
        assert await sealed_pool.fetchval("SELECT count(*) FROM recovery_code") == 0
    await _with_factor(sealed_pool, "anna", NOW)
    async with sealed_pool.acquire() as conn:
        await leave_second_factor(conn, "anna", "offered")


async def test_a_link_lets_in_once_for_some_minutes_and_where_it_is_meant_for(
    page_sign_in: PageSignIn, sessions: Sessions, sealed_pool: asyncpg.Pool
) -> None:
    async with sealed_pool.acquire() as conn:
        await change_user(conn, "anna", {"role": "manager"})
        once = (await make_link(conn, "anna", NOW)).removeprefix(PATH)
        here = (await make_link(conn, "anna", NOW, is_local=True)).removeprefix(PATH)
        old = (await make_link(conn, "anna", NOW - timedelta(minutes=15))).removeprefix(PATH)
    assert await page_sign_in.is_link(once, NOW, is_local=False)
    begun = await page_sign_in.with_link(once, HOME, NOW, is_local=False)
    session = await sessions.find(begun.secret, HOME.address, NOW)
    assert session is not None
    assert (session.stage, session.is_by_link) == ("full", True)
    for link, is_local in ((once, False), (here, False), (old, True), ("", True)):
        assert not await page_sign_in.is_link(link, NOW, is_local=is_local)
        with pytest.raises(SignInRefused):
            await page_sign_in.with_link(link, HOME, NOW, is_local=is_local)
    await page_sign_in.with_link(here, HOME, NOW, is_local=True)
    async with sealed_pool.acquire() as conn:
        left = (await make_link(conn, "anna", NOW)).removeprefix(PATH)
        await change_user(conn, "anna", {"is_on": False})
        with pytest.raises(UserIsOff):
            await make_link(conn, "anna", NOW)
    with pytest.raises(SignInRefused):
        await page_sign_in.with_link(left, HOME, NOW, is_local=False)


async def test_the_operator_helps_whoever_lost_password_or_phone(
    page_sign_in: PageSignIn, sealed_pool: asyncpg.Pool, database_url: str
) -> None:
    public = {"CALLMATRIX_PUBLIC_URL": "https://calls.example.com/"}
    told = await callmatrix(database_url, "users", "sign-in-link", "anna", "--json", **public)
    address = json.loads(told.stdout)["address"]
    assert address.startswith("https://calls.example.com/sign-in/once/")
    link = address.rpartition("/")[2]
    assert (await page_sign_in.with_link(link, HOME, datetime.now(UTC), is_local=False)).stage == "enrol"
    assert json.loads((await callmatrix(database_url, "users", "totp-off", "anna", "--json")).stdout) == {
        "login": "anna",
        "was_on": False,
    }
    assert (await callmatrix(database_url, "users", "sign-in-link", "nobody")).returncode == 1
    rows = await sealed_pool.fetch("SELECT action, who_kind, after FROM audit WHERE object = 'anna'")
    assert ("sign-in link made", "command") in {(row["action"], row["who_kind"]) for row in rows}
    assert link not in repr([dict(row) for row in rows])
