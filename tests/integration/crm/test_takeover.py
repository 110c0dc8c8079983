"""A worker is killed while a request of its is on the way: who takes over keeps quiet for the CRM's window, adopts what was
being sent, gives it time to arrive, and then looks for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.budget import TAKEOVER_SECONDS
from crm.effects.order import order
from crm.lane import Lane
from routing.effects import CreateContact, Effect
from runtime.effects.store import wake
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site
from tests.paths import ROOT
from tests.waiting import until

NUMBER = "+79165550000"
_CARRIED_OUT_AND_NEVER_ANSWERED = {
    "match": {"method": "POST", "path": "/api/v4/contacts"},
    "always": True,
    "fault": "latency",
    "ms": 600_000,
}
_WORKS = "SELECT count(*) > 3 FROM sync_cursor WHERE last_success IS NOT NULL"
_TWO_WANT_THE_LEASE = "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name = 'callmatrix lease' AND datname = current_database()"


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url) as made:
        await made.connect()
        yield made


@asynccontextmanager
async def _worker_process(site: CrmSite) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = {"CALLMATRIX_DATABASE_URL": site.dsn, "CALLMATRIX_POLL_SECONDS": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "serve", "--role", "worker"),
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _order_contact(site: CrmSite) -> None:
    effect = Effect(key="k", order=CreateContact(name="Клиент", number=NUMBER, owner_id=None))
    async with site.pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id=ACCOUNT,
            decision_id="d",
            call_id=None,
            client=NUMBER,
            lane=Lane.EVENTS,
            effects=[effect],
        )


async def _requests(site: CrmSite, since: float = 0.0) -> list[dict[str, Any]]:
    async with site.http.get(f"{site.sandbox.url}/_sandbox/ledger", params={"since": since}) as response:
        found: list[dict[str, Any]] = (await response.json())["requests"]
    return found


async def _creations(site: CrmSite) -> int:
    return sum(r["method"] == "POST" and r["path"] == "/api/v4/contacts" for r in await _requests(site))


async def _quiet_time_is_over(site: CrmSite) -> None:
    async with site.pool.acquire() as conn, conn.transaction():
        await conn.execute("UPDATE effect SET next_try_at = now()")
        await wake(conn, ACCOUNT, "crm")


async def test_who_takes_over_waits_and_then_finds_what_was_being_sent(site: CrmSite) -> None:
    async with _worker_process(site) as first:
        await site.until(_WORKS, seconds=60)
        await site.spoil(_CARRIED_OUT_AND_NEVER_ANSWERED)
        await _order_contact(site)
        await until(lambda: _creations(site), "the contact is made")
        async with site.worker():
            await site.until(_TWO_WANT_THE_LEASE)
            first.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.3)  # what it has sent is in the ledger, and nothing more comes
            killed_at = time.time()
            first.kill()
            await site.until("SELECT state = 'unknown' FROM effect")
            quiet = await site.value("SELECT extract(epoch FROM next_try_at - now())::float8 FROM effect")
            assert quiet > 30, "the request may still be under way"
            (next_request, *_) = await until(
                lambda: _requests(site, killed_at), "the next worker asks the CRM"
            )
            assert next_request["at"] - killed_at > TAKEOVER_SECONDS
            await _quiet_time_is_over(site)
            await site.until("SELECT state = 'done' AND was_found AND attempts = 1 FROM effect")
            assert await _creations(site) == 1


async def test_nothing_is_asked_of_a_crm_that_stands_still_before_it_answers_again(site: CrmSite) -> None:
    stands_still, asked = asyncio.Event(), asyncio.Event()
    came: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/":
            asked.set()
            await stands_still.wait()
            return web.Response(text="a page")
        came.append(time.monotonic())
        return web.json_response({}, status=500)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as crm:
        await site.value("UPDATE account SET base_url = $1", str(crm.make_url("")).rstrip("/"))
        async with site.worker():
            async with asyncio.timeout(20):
                await asked.wait()
            await asyncio.sleep(TAKEOVER_SECONDS + 0.5)
            assert came == [], "what a predecessor sent may still lie in its socket"
            stands_still.set()
            answered_at = time.monotonic()
            await until(lambda: _value(came), "it is asked again")
        assert came[0] - answered_at >= TAKEOVER_SECONDS - 0.1


async def _value(came: list[float]) -> bool:
    return bool(came)
