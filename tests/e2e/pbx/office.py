"""The whole of it: sandbox, gateway, worker, a real Asterisk with the recipe, SIPp as caller and as the phones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.store.admin.accounts import change_connection
from tests.e2e.pbx.asterisk import Asterisk, free_udp_port, running_asterisk
from tests.e2e.pbx.sipp import CallMade, Sipp, a_call, phones
from tests.e2e.stack import ACCOUNT, Stack, free_port, running_stack

NEW_CALLER = "+79261230045"
KNOWN_CALLER = "+79000000007"  # contact 7 belongs to the manager with extension 108
OWNER, RESERVE = "108", "100"


@dataclass
class Office:
    """A stack and the Asterisk that asks it. phones_port: where every phone of the office is."""

    stack: Stack
    asterisk: Asterisk
    folder: Path
    phones_port: int
    agi_port: int
    _tasks: list[Any] = field(default_factory=list)

    def phones(self, scenario: str = "phone_answers", ring_ms: int = 100) -> AbstractContextManager[Sipp]:
        return phones(self.folder, self.phones_port, scenario, ring_ms)

    def call(self, caller: str, **more: Any) -> AbstractContextManager[CallMade]:
        return a_call(self.folder, self.asterisk.sip_port, caller=caller, **more)

    @contextmanager
    def asking(self, **globals: str) -> Iterator[None]:
        """The recipe's globals changed in the running Asterisk."""
        for name, value in globals.items():
            self.asterisk.cli(f"dialplan set global {name} {value}")
        yield

    async def rings(self, caller: str, **more: Any) -> tuple[str, float]:
        """Which phone rings first when this number calls, and after how many seconds; the call is then finished."""
        with self.phones() as sipp, self.call(caller, talk_ms=300, **more) as call:
            invited = (await asyncio.to_thread(sipp.until_invited))[0]
            assert await asyncio.to_thread(call.finish) == 0
            return invited.user, invited.at - call.asked_at

    async def listen(self, ami_port: int | None = None, **settings: str) -> None:
        """The connection gets its AMI, and these settings; returns once a worker hears Asterisk."""
        async with self.stack.pool.acquire() as conn:
            await change_connection(
                conn,
                "asterisk",
                keys={"ami_user": "callmatrix", "ami_secret": self.asterisk.ami_secret},
                settings={
                    "ami_host": "127.0.0.1",
                    "ami_port": ami_port or self.asterisk.ami_port,
                    "trunks": ["provider"],
                    **settings,
                },
            )
        await self.until_report(lambda body: bool(body.get("connected")))

    async def report(self) -> dict[str, Any]:
        body = await self.stack.pool.fetchval(
            "SELECT body FROM worker_report WHERE account_id = $1 AND report = 'ami:asterisk'", ACCOUNT
        )
        return dict(body or {})

    async def until_report(
        self, fact: Callable[[dict[str, Any]], bool], seconds: float = 30
    ) -> dict[str, Any]:
        body: dict[str, Any] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not fact(body := await self.report()):
                    await asyncio.sleep(0.1)
                return body
        worker = self.stack.process("worker0").said()
        raise AssertionError(f"the listener's report is still {body}\n{worker}")

    async def until_calls(self, fact: Callable[[list[Any]], bool], seconds: float = 30) -> list[Any]:
        """Until the stored calls are so."""
        rows: list[Any] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not fact(rows := await self._calls()):
                    await asyncio.sleep(0.1)
                return rows
        worker = self.stack.process("worker0").said()
        raise AssertionError(f"the calls are still {[dict(r) for r in rows]}\n{worker}")

    async def _calls(self) -> list[Any]:
        return list(await self.stack.pool.fetch("SELECT * FROM call WHERE account_id = $1", ACCOUNT))


@asynccontextmanager
async def running_office(
    folder: Path, database_url: str, more: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[Office]:
    """more: added to Asterisk's configuration, text by file."""
    agi_port, phones_port = free_port(), free_udp_port()
    env = {"CALLMATRIX_FASTAGI_PORT": str(agi_port), **options.pop("env", {})}
    async with running_stack(folder, database_url, env=env, **options) as stack:
        with running_asterisk(
            phones_port,
            more,
            CALLMATRIX_URL=f"{stack.url}/pbx/asterisk",
            CALLMATRIX_SECRET="demo",
            CALLMATRIX_AGI=f"127.0.0.1:{agi_port}",
            RING_SECONDS="5",
            RESERVE_SECONDS="10",
        ) as asterisk:
            yield Office(stack, asterisk, folder, phones_port, agi_port)
