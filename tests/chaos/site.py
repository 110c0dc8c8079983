"""The installation under test: PostgreSQL with fsync, the sandbox with its file, two gateways, two workers, and a
supervisor that starts again whatever has died, as systemd would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate
from gateway.demo import data
from gateway.store.admin import accounts
from routing.settings import AccountSettings, CallPolicy
from runtime.database.errors import DATABASE_ERRORS
from tests.chaos.traffic import KNOWN_CONTACTS, SKEWS
from tests.e2e.stack import ACCOUNT, Process, Stack, free_port

TROUBLE = (*DATABASE_ERRORS, aiohttp.ClientError)
SETTINGS = AccountSettings(calls=CallPolicy(settle_seconds=2, lost_hangup_minutes=1))
RESTART_SECONDS = 0.3


class Site:
    """deaths: exit codes by name, for those that died by themselves (nobody killed them)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = EmbeddedPostgres(folder, port=free_port())
        self.dsn = ""
        self.stack: Stack
        self.deaths: list[tuple[str, int]] = []
        self._expected: set[str] = set()
        self._stopping = False

    @property
    def urls(self) -> list[str]:
        return self.stack.urls

    async def start(self) -> None:
        self.dsn = await asyncio.to_thread(self.database.start)
        await migrate(self.dsn)
        self.stack = Stack(
            self.folder, self.dsn, contacts=KNOWN_CONTACTS, gateways=2, workers=2, settings=SETTINGS
        )
        await self.stack.start()
        async with self.stack.pool.acquire() as conn:
            for name in SKEWS.keys() - {"generic"}:
                await accounts.add_connection(
                    conn,
                    account_id=ACCOUNT,
                    name=name,
                    kind="generic",
                    secret=data.SECRET,
                    lines=(data.OFFICE_LINE,),
                )
        await self.stack.register_webhook()

    async def stop(self) -> None:
        self._stopping = True
        if hasattr(self, "stack"):
            with contextlib.suppress(AssertionError):
                await self.stack.stop()
            for process in self.stack.processes:
                if process.is_running:
                    process.kill()
        await asyncio.to_thread(self.database.stop, 10.0)

    # --- what the nemesis does ---------------------------------------------------------------------------------

    def process(self, name: str) -> Process:
        return self.stack.process(name)

    def kill(self, name: str) -> bool:
        """kill -9; whether it was running and died of it."""
        process = self.process(name)
        if not process.is_running:
            return False
        self._expected.add(name)
        process.kill()
        assert process.popen is not None
        return process.popen.returncode == -signal.SIGKILL

    async def restart_database(self, sig: signal.Signals) -> bool:
        """SIGINT: fast, SIGQUIT: immediate (as a crash). Whether the old server was gone before the new one came."""
        before = self.database.pid
        if before is None:
            return False
        os.kill(before, sig)
        await asyncio.to_thread(self.database.stop, 10.0)
        await asyncio.to_thread(self.database.start)
        return self.database.pid != before

    async def is_ready(self, url: str) -> bool:
        try:
            timeout = aiohttp.ClientTimeout(total=1)
            async with self.stack.http.get(f"{url}/readyz", timeout=timeout) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    # --- supervision -------------------------------------------------------------------------------------------

    async def supervise(self) -> None:
        """Until cancelled: what is dead is started again a moment later."""
        while not self._stopping:
            for process in self.stack.processes:
                if process.popen is not None and process.popen.poll() is not None:
                    if process.name not in self._expected:
                        self.deaths.append((process.name, process.popen.returncode))
                    self._expected.discard(process.name)
                    process.start()
            await asyncio.sleep(RESTART_SECONDS)

    # --- reading -----------------------------------------------------------------------------------------------

    async def fetch(self, sql: str, *args: Any, seconds: float = 60) -> list[asyncpg.Record]:
        """Asked again while the database is away."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                rows: list[asyncpg.Record] = await self.stack.pool.fetch(sql, *args)
                return rows
            except TROUBLE:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.3)

    async def sandbox(self, path: str, body: Any = None, seconds: float = 60) -> Any:
        """GET, or POST with a body, on the sandbox's control surface; asked again while it is away."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                return await (self.stack.sandbox(path) if body is None else self.stack.act(path, body))
            except TROUBLE:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)


@asynccontextmanager
async def running_site(*, keep: bool = False) -> AsyncIterator[Site]:
    """keep: leave the logs where they are."""
    folder = Path(tempfile.mkdtemp(prefix="callmatrix-chaos-"))
    folder.chmod(0o711)
    site = Site(folder)
    try:
        await site.start()
        yield site
    finally:
        await site.stop()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
