"""What the gateway must survive, with the real processes: an ill database, and callers that mean harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from tests.e2e.stack import ACCOUNT, AUTH, Stack, running_stack
from tests.fakes.database_proxy import Proxy

LINE = "74950000001"
DEADLINE_SECONDS = 0.5
"""Of a lookup as a PBX sees it on a busy machine; the gateway's own is 150 ms."""


@pytest.fixture
async def stack(tmp_path: Path, database_url: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path, database_url) as running:
        yield running


@asynccontextmanager
async def lookups(stack: Stack) -> AsyncIterator[list[float]]:
    """Asks steadily while the block runs; seconds that each answer took. Every answer names the client's manager."""
    times: list[float] = []

    async def ask() -> None:
        while True:
            began = time.perf_counter()
            answer = await stack.lookup("+79000000007")
            times.append(time.perf_counter() - began)
            assert (answer["outcome"], answer["reason"]) == ("manager", "contact_owner")
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield times
    finally:
        asking.cancel()
        done = (await asyncio.gather(asking, return_exceptions=True))[0]
    assert isinstance(done, asyncio.CancelledError), done


async def _missed(stack: Stack, call: str, number: str) -> None:
    base = {"callId": call, "from_": number, "to": LINE, "direction": "in"}
    await stack.event(event="newCall", **base)
    await stack.event(event="hangup", cause="noAnswer", **base)


async def test_lookups_are_in_time_while_every_statement_of_the_database_takes_two_seconds(
    stack: Stack, database_url: str
) -> None:
    blocker = await asyncpg.connect(database_url)
    async with lookups(stack) as times:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE inbox, decision, call, effect, directory_entry, account")
            told = asyncio.create_task(_missed(stack, "slow1", "79035550101"))
            await asyncio.sleep(2)
            assert not told.done(), "an event is acknowledged only once it is stored"
        await told
    await blocker.close()
    assert len(times) > 50
    assert max(times) < DEADLINE_SECONDS
    await stack.until_idle()
    assert len(await stack.rows("contact", phone="79035550101")) == 1


async def test_a_full_disk_refuses_events_and_no_lookup_and_nothing_is_lost(
    stack: Stack, database_url: str
) -> None:
    admin = await asyncpg.connect(database_url)
    await admin.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$"
    )
    await admin.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION full_disk()"
    )
    event = {"event": "newCall", "callId": "full1", "from": "79035550102", "to": LINE, "direction": "in"}
    async with lookups(stack) as times:
        for _ in range(5):
            async with stack.http.post(
                f"{stack.url}/pbx/generic/events", json=event, headers=AUTH
            ) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert times
    assert max(times) < DEADLINE_SECONDS
    await admin.execute("DROP TRIGGER full_disk ON inbox")
    await admin.close()
    await _missed(stack, "full1", "79035550102")
    await stack.until_idle()
    assert len(await stack.rows("contact", phone="79035550102")) == 1


async def test_a_deadlock_costs_a_moment_and_no_event(stack: Stack, database_url: str) -> None:
    number = "+79035550103"
    other = await asyncpg.connect(database_url)
    await other.execute("SET deadlock_timeout = '20s'")  # so that ours is never the one that is sacrificed
    transaction = other.transaction()
    await transaction.start()
    await _lock(other, f"call {ACCOUNT} generic dead1", 2)
    await _missed(stack, "dead1", number)
    await _until_waiting(stack, 1)
    # The job holds the client and waits for the call; we hold the call and now wait for the client.
    await asyncio.wait_for(_lock(other, f"client {ACCOUNT} {number}", 1), 15)
    await transaction.rollback()
    await other.close()
    await stack.until_idle()
    assert len(await stack.rows("contact", phone=number)) == 1
    assert await stack.pool.fetchval("SELECT count(*) FROM inbox WHERE state <> 'applied'") == 0


@pytest.mark.parametrize("trouble", ["away", "silent"])
async def test_processes_end_when_told_to_while_the_database_is_away(
    tmp_path: Path, database_url: str, trouble: str
) -> None:
    proxy = Proxy(urlsplit(database_url).port)
    await proxy.start()
    through_proxy = urlsplit(database_url)._replace(
        netloc=database_url.split("/")[2].rsplit(":", 1)[0] + f":{proxy.port}"
    )
    async with running_stack(
        tmp_path, database_url, env={"CALLMATRIX_DATABASE_URL": through_proxy.geturl()}
    ) as stack:
        if trouble == "away":
            proxy.target = None
            proxy.cut()
        else:
            proxy.speaks.clear()
        await asyncio.sleep(2)
        ends = (asyncio.to_thread(stack.process(name).stop) for name in ("worker0", "gateway0"))
        assert await asyncio.gather(*ends) == [0, 0]
    await proxy.stop()


async def _lock(conn: asyncpg.Connection, name: str, kind: int) -> None:
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", name, kind)


async def _until_waiting(stack: Stack, least: int) -> None:
    for _ in range(200):
        if await stack.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") >= least:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody waits for a lock")


async def test_hostile_requests_change_nothing_and_harm_nobody(stack: Stack) -> None:
    event = {"event": "newCall", "callId": "h1", "from": "79035550104", "to": LINE, "direction": "in"}
    answers = [
        await stack.event(**{("from_" if k == "from" else k): v for k, v in event.items()}) for _ in range(5)
    ]
    assert [a["duplicate"] for a in answers] == [False, True, True, True, True], "replayed"
    stored = await stack.pool.fetchval("SELECT count(*) FROM inbox")

    ten_megabytes = b"x" * 10_000_000
    secret = await stack.pool.fetchval("SELECT webhook_secret FROM account WHERE account_id = $1", ACCOUNT)
    async with lookups(stack) as times:
        for path, headers, body, statuses in (
            ("/pbx/generic/events", AUTH, ten_megabytes, {413}),
            ("/pbx/generic/events", {}, ten_megabytes, {401, 413}),
            ("/pbx/generic/lookup", AUTH, ten_megabytes, {200, 413}),
            (f"/crm/{ACCOUNT}/webhooks/{secret}", {}, ten_megabytes, {413}),
            (f"/crm/{ACCOUNT}/webhooks/wrong", {}, b"a=1", {404}),
            ("/pbx/mango/events/call", {}, b"vpbx_api_key=demo&sign=0&json=%7B%7D", {401}),
            ("/pbx/generic/events", AUTH, b'{"event": ' * 2000, {400}),
            ("/pbx/generic/events", {"Authorization": "Bearer demo\xff"}, b"{}", {401}),
        ):
            assert await _status(stack, path, headers, body) in {*statuses, 0}, path
    assert max(times) < DEADLINE_SECONDS
    assert await stack.pool.fetchval("SELECT count(*) FROM inbox") == stored
    assert await stack.pool.fetchval("SELECT count(*) FROM crm_webhook") == 0
    assert stack.process("gateway0").is_running


async def _status(stack: Stack, path: str, headers: dict[str, str], body: bytes) -> int:
    """0: the gateway hung up before everything was sent."""
    try:
        async with stack.http.post(f"{stack.url}{path}", data=body, headers=headers) as response:
            await response.read()
            return response.status
    except aiohttp.ClientError:
        return 0


async def test_a_replayed_webhook_of_the_crm_changes_nothing(stack: Stack) -> None:
    secret = await stack.pool.fetchval("SELECT webhook_secret FROM account WHERE account_id = $1", ACCOUNT)
    contact = (await stack.rows("contact", phone="79000000007"))[0]
    old: dict[str, Any] = {
        "contacts[update][0][id]": contact["id"],
        "contacts[update][0][responsible_user_id]": 1000101,
        "contacts[update][0][updated_at]": contact["updated_at"] - 100,
        "contacts[update][0][type]": "contact",
    }
    for _ in range(3):
        async with stack.http.post(f"{stack.url}/crm/{ACCOUNT}/webhooks/{secret}", data=old) as response:
            assert response.status == 200
    for _ in range(100):
        if not await stack.pool.fetchval("SELECT count(*) FROM crm_webhook"):
            break
        await asyncio.sleep(0.1)
    answer = await stack.lookup("+79000000007")
    assert answer["responsible"]["extension"] == "108", "what is older than what is known does not count"
