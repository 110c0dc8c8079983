"""One process listens to a PBX, others wait; links follow the configuration; events end in the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from gateway.configuration import Configuration
from gateway.intake.inbox import Inbox
from gateway.pbx.asterisk.listener import AmiListener
from gateway.pbx.kinds import KINDS
from gateway.pbx_links.listeners import PbxListeners
from gateway.store.admin import accounts
from gateway.store.crm_accounts import exchanges
from runtime.database.lease import Leases
from runtime.database.listen import Listener
from tests.integration.asterisk.fake_ami import FakeAmi, fake_ami
from tests.integration.asterisk.test_listener import a_missed_call
from tests.waiting import until

ACCOUNT = "main"


@dataclass
class Process:
    """What a worker process has of it."""

    configuration: Configuration
    listeners: PbxListeners
    tasks: list[asyncio.Task[None]]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()


@asynccontextmanager
async def a_process(pool: asyncpg.Pool, dsn: str) -> AsyncIterator[Process]:
    listener = Listener(dsn)
    configuration = Configuration(pool, listener)
    await configuration.reload()
    async with Inbox(pool) as inbox:
        listeners = PbxListeners(configuration, pool, Leases(dsn), inbox, KINDS)
        tasks = [asyncio.create_task(part.run()) for part in (listener, configuration, listeners)]
        process = Process(configuration, listeners, tasks)
        try:
            yield process
        finally:
            await process.stop()


@pytest.fixture
async def ami(pool: asyncpg.Pool) -> AsyncIterator[FakeAmi]:
    async with fake_ami() as running:
        async with pool.acquire() as conn:
            await accounts.add_account(conn, account_id=ACCOUNT, name="Main", base_url="http://127.0.0.1:9")
            await accounts.add_connection(
                conn,
                account_id=ACCOUNT,
                name="office",
                kind="asterisk",
                secret="demo",
                keys={"ami_user": "callmatrix", "ami_secret": "s3cret"},
                lines=("+74951234567",),
                settings={"ami_host": "127.0.0.1", "ami_port": running.port},
            )
        yield running


async def change(pool: asyncpg.Pool, **changes: Any) -> None:
    async with pool.acquire() as conn:
        await accounts.change_connection(conn, "office", **changes)


async def test_what_asterisk_says_is_in_the_inbox_with_its_client(
    pool: asyncpg.Pool, database_url: str, ami: FakeAmi
) -> None:
    async with a_process(pool, database_url):
        await ami.until_links(1)
        ami.say(a_missed_call(), a_missed_call())  # the second one is a repetition

        async def is_stored() -> bool:
            kinds = await pool.fetchval("SELECT string_agg(events::text, '') FROM inbox")
            return bool(kinds) and '"ended"' in kinds

        await until(is_stored, "the call is stored")
    rows = await pool.fetch("SELECT * FROM inbox")
    assert {row["connection_id"] for row in rows} == {"office"}
    assert {row["call_key"] for row in rows} == {"1.1"}
    assert "+79161234567" in {row["client"] for row in rows}
    assert len({row["dedupe_key"] for row in rows}) == len(rows)


async def test_only_one_process_listens_and_the_next_takes_over(
    pool: asyncpg.Pool, database_url: str, ami: FakeAmi
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(a_process(pool, database_url))
        await ami.until_links(1)
        second = await stack.enter_async_context(a_process(pool, database_url))
        await asyncio.sleep(1)  # time enough to try
        assert ami.logins == 1
        assert (len(first.listeners.listeners), len(second.listeners.listeners)) == (1, 0)
        await first.stop()

        async def second_listens() -> bool:
            return ami.logins == 2 and ami.links == 1 and "office" in second.listeners.listeners

        await until(second_listens, "the second process listens")
        listener = second.listeners.listeners["office"]
        assert isinstance(listener, AmiListener)
        absences = listener.status.absences
        assert len(absences) == 1, "the time between the two is told"


async def test_links_follow_the_configuration(pool: asyncpg.Pool, database_url: str, ami: FakeAmi) -> None:
    async with a_process(pool, database_url) as process, fake_ami() as other:
        await ami.until_links(1)
        await change(pool, settings={"ami_host": "127.0.0.1", "ami_port": other.port})
        await other.until_links(1)
        await ami.until_links(0)
        await change(pool, lines=("+74951234567", "+74957654321"))
        await asyncio.sleep(0.3)
        assert other.logins == 1, "a change that does not concern the link leaves it alone"
        await change(pool, is_on=False)
        await other.until_links(0)

        async def nobody_listens() -> bool:
            return process.listeners.figures() == {}

        await until(nobody_listens, "nobody listens")


async def test_the_report_says_whether_somebody_listens(
    pool: asyncpg.Pool, database_url: str, ami: FakeAmi
) -> None:
    async def report() -> dict[str, Any]:
        async with pool.acquire() as conn:
            rows = await exchanges.reports(conn, ACCOUNT)
        return next((dict(row["body"]) for row in rows if row["report"] == "ami:office"), {})

    async def is_connected() -> bool:
        return bool((await report()).get("connected"))

    async def is_away() -> bool:
        return (await report()).get("connected") is False

    async with a_process(pool, database_url):
        await until(is_connected, "the link is up")
        assert (await report())["asterisk"] == "Asterisk Call Manager/11.0.0"
        ami.is_mute = True
        ami.drop()
        await until(is_away, "the link is down")
    assert "s3cret" not in str(await report())
