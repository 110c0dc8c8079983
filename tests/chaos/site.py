"""The installation under test: PostgreSQL with fsync behind a line that can be slow, a sandbox with its file for each
account, two gateways, two workers, and a supervisor that starts again whatever has died, as systemd would.

Whatever the harness asks, it asks again until it is answered: the faults are its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import aiohttp
import asyncpg

from crm.amocrm.store import PgTokenStore, store_long_lived_token
from crm.amocrm.tokens import StoredToken, exchange_code
from crm.amocrm.transport import Transport
from gateway.admin.employees import replace_employees
from gateway.admin.matrices import publish_matrix
from gateway.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from gateway.db.migrate import migrate
from gateway.demo import data
from gateway.store.admin import accounts
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import open_pool
from tests.chaos.database_line import DatabaseLine
from tests.chaos.tenants import KNOWN_CONTACTS, TENANTS, Tenant
from tests.e2e.stack import AUTH, Process, Stack, free_port

TROUBLE = (*DATABASE_ERRORS, aiohttp.ClientError, AssertionError, ValueError)
"""What the faults make of a question of ours, half an answer included."""
RESTART_SECONDS = 0.3
_WORKERS = ("worker0", "worker1")
_WORKS_TIMES = 3.0
READY_SECONDS = 3.0
INSIST_SECONDS = 150.0
"""How long a question of the harness is asked again, on a machine that others use too."""
KEY_SECONDS = 2 * 3600 + 12
"""An access key lives so long: two hours before its end it is renewed."""
_START_SECONDS = 180.0
"""A machine that others use too may need so long."""
T = TypeVar("T")


class HarnessFailed(Exception):
    """The harness could not do its own work: no verdict on the product."""


class Site:
    """deaths: exit codes by name, of those that nobody killed. down: names of those that are not to be started again."""

    def __init__(self, folder: Path, tenants: tuple[Tenant, ...] = TENANTS) -> None:
        self.folder = folder
        self.database = EmbeddedPostgres(folder, port=free_port())
        self.dsn = ""
        self.line: DatabaseLine
        self.stack: Stack
        self.crm_urls: dict[str, str] = {}
        self.deaths: list[tuple[str, int]] = []
        self.tenants, self.down = tenants, set[str]()
        self._expected: set[str] = set()
        self._log_from: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._works_since: dict[str, float] = {}
        self._stopping = False

    @property
    def urls(self) -> list[str]:
        return self.stack.urls

    @property
    def names(self) -> list[str]:
        """Of our processes."""
        return [process.name for process in self.stack.processes]

    async def start(self) -> None:
        self.dsn = await asyncio.to_thread(self.database.start)
        await migrate(self.dsn)
        self.line = await DatabaseLine.started(self.dsn)
        self.stack = Stack(
            self.folder, self.line.dsn, contacts=KNOWN_CONTACTS, gateways=2, workers=2,
            settings=self.tenants[0].settings, start_seconds=_START_SECONDS,
        )  # fmt: skip
        await self.stack.start()
        self.crm_urls = {self.tenants[0].sandbox: self.stack.sandbox_url}
        for tenant in self.tenants[1:]:
            self._start_crm(tenant)
        for tenant in self.tenants:
            await self._settle_in(tenant)
        for tenant in self.tenants:
            await self._until_known(tenant)

    def _start_crm(self, tenant: Tenant) -> None:
        port = free_port()
        self.crm_urls[tenant.sandbox] = f"http://127.0.0.1:{port}"
        state = self.folder / f"{tenant.sandbox}.sqlite"
        arguments = [
            "sandbox",
            "--port",
            str(port),
            "--contacts",
            str(tenant.contacts),
            "--state",
            str(state),
        ]
        self.stack.launch(tenant.sandbox, arguments)

    async def _settle_in(self, tenant: Tenant) -> None:
        """Account, key, people, connections, matrix, webhook: as an administrator would."""
        await self.stack.until_answers(f"{self.crm_url(tenant)}/_sandbox/token", _START_SECONDS)
        async with self.connection() as conn:
            if tenant.account != data.ACCOUNT:
                async with conn.transaction():
                    await accounts.add_account(
                        conn, account_id=tenant.account, name=tenant.account, base_url=self.crm_url(tenant),
                        time_zone=tenant.zone, settings=tenant.settings,
                    )  # fmt: skip
                    await replace_employees(conn, tenant.account, data.employees())
                await self.connect(tenant)
            for name in tenant.skews.keys() - {"generic"}:
                await accounts.add_connection(
                    conn, account_id=tenant.account, name=name, kind="generic", secret=data.SECRET,
                    lines=(data.OFFICE_LINE,),
                )  # fmt: skip
        if tenant.matrix is not None:
            await self._publish(tenant)
        await self.stack.register_webhook(tenant.account, self.crm_url(tenant))

    async def _publish(self, tenant: Tenant) -> None:
        """Once the CRM's users are known: a matrix names them."""
        assert tenant.matrix is not None
        await self._until_known(tenant)
        async with self.connection() as conn, conn.transaction():
            await publish_matrix(conn, tenant.account, tenant.matrix, by="chaos", why="another matrix")

    async def _until_known(self, tenant: Tenant) -> None:
        """Both gateways answer with the owner of a client of the CRM."""
        connection = next(iter(tenant.skews))
        for url in self.urls:
            deadline = time.monotonic() + _START_SECONDS
            while not await self._knows_clients(f"{url}/pbx/{connection}/lookup"):
                if time.monotonic() > deadline:
                    raise HarnessFailed(
                        f"{url} does not know the clients of {tenant.account} after {_START_SECONDS:g} s"
                    )
                await asyncio.sleep(0.2)

    async def _knows_clients(self, url: str) -> bool:
        with contextlib.suppress(*TROUBLE):
            async with self.stack.http.get(url, params={"phone": "+79000000001"}, headers=AUTH) as response:
                return (await response.json()).get("reason") in ("contact_owner", "lead_owner")
        return False

    async def connect(self, tenant: Tenant) -> None:
        """What a person does to authorise: a long-lived key, or yes to the integration."""
        if tenant.key == "long_lived":
            token = (await self.crm(tenant, "token?integration=callmatrix"))["access_token"]
            async with self.connection() as conn, conn.transaction():
                await store_long_lived_token(conn, tenant.account, token)
            return
        await self.crm(
            tenant, "profile", {"access_token_seconds": KEY_SECONDS, "old_token_after_refresh": "revoked"}
        )
        known = (await self.crm(tenant, "integrations"))["integrations"]
        pair = await self._agreed(tenant, next(one for one in known if one["name"] == "callmatrix"))
        async with self.pool() as pool:
            await PgTokenStore(pool, tenant.account).save(pair)

    async def _agreed(self, tenant: Tenant, integration: dict[str, Any]) -> StoredToken:
        client, back = (
            integration["client_id"],
            integration["redirect_uri"] or "https://example.com/crm/oauth",
        )
        asked = {"client_id": client, "redirect_uri": back, "approve": "1"}
        url = self.crm_url(tenant)
        async with self.stack.http.get(f"{url}/oauth", params=asked, allow_redirects=False) as response:
            code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
        return await exchange_code(
            Transport(self.stack.http), url, code=code, client_id=client,
            client_secret=integration["secret"], redirect_uri=back,
        )  # fmt: skip

    async def stop(self) -> None:
        self._stopping = True
        if hasattr(self, "stack"):
            with contextlib.suppress(AssertionError):
                await self.stack.stop()
            for process in self.stack.processes:
                if process.is_running:
                    process.kill()
        if hasattr(self, "line"):
            await self.line.stop()
        await asyncio.to_thread(self.database.stop, 10.0)

    # --- what the nemesis does ---------------------------------------------------------------------------------

    def process(self, name: str) -> Process:
        return self.stack.process(name)

    def is_at_work(self, name: str) -> bool:
        """Whether a worker runs and had time to do something: three times as long as its start took. Killed before that again
        and again, as on a busy machine it would be, none would ever do anything."""
        works = self._works_since.get(name)
        if works is None or not self.process(name).is_running:
            return False
        return time.monotonic() - works > _WORKS_TIMES * (works - self._started[name])

    def have_worked(self, seconds: float) -> bool:
        """Whether all workers have lived so long."""
        now = time.monotonic()
        return all(now - self._works_since.get(name, now) >= seconds for name in _WORKERS)

    async def until_at_work(self, seconds: float) -> None:
        """Until all workers had time to do something since they were last ended, or that takes longer."""
        deadline = time.monotonic() + seconds
        while not all(map(self.is_at_work, _WORKERS)) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)

    def _note_start(self, process: Process) -> None:
        self._log_from[process.name] = process.log.stat().st_size
        self._started[process.name] = time.monotonic()
        self._works_since.pop(process.name, None)

    def _note_work(self, process: Process) -> None:
        if process.name.startswith("worker") and process.name not in self._works_since:
            with contextlib.suppress(OSError), process.log.open("rb") as log:
                log.seek(self._log_from.get(process.name, 0))
                if b"worker-runs" in log.read():
                    now = self._works_since[process.name] = time.monotonic()
                    self._started.setdefault(process.name, now)

    def kill(self, name: str) -> bool:
        """kill -9; whether it was running and died of it."""
        process = self.process(name)
        if not process.is_running:
            return False
        self._expected.add(name)
        process.kill()
        assert process.popen is not None
        return process.popen.returncode == -signal.SIGKILL

    async def end(self, name: str, seconds: float = 40.0) -> bool:
        """SIGTERM; whether it was running and ended in good order."""
        process = self.process(name)
        if not process.is_running:
            return False
        self._expected.add(name)
        assert process.popen is not None
        process.popen.terminate()
        deadline = time.monotonic() + seconds
        while process.is_running and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return process.popen.returncode == 0

    async def restart_database(self, sig: signal.Signals) -> bool:
        """SIGINT: fast, SIGQUIT: immediate (as a crash). Whether the old server was gone before the new one came."""
        before = self.database.pid
        if before is None:
            return False
        os.kill(before, sig)
        await asyncio.to_thread(self.database.stop, 10.0)
        await self._start_database()
        return self.database.pid != before

    async def _start_database(self, tries: int = 3) -> None:
        """Again where it took too long: without it there is no run."""
        for n in range(1, tries + 1):
            try:
                await asyncio.to_thread(self.database.start)
            except EmbeddedPostgresError as err:
                if n == tries:
                    raise HarnessFailed(f"PostgreSQL did not start in {tries} tries: {err}") from err
                await asyncio.to_thread(self.database.stop, 10.0)
            else:
                return

    async def is_ready(self, url: str) -> bool:
        try:
            timeout = aiohttp.ClientTimeout(total=READY_SECONDS)
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
                    if process.name in self.down:
                        continue
                    if process.name not in self._expected:
                        self.deaths.append((process.name, process.popen.returncode))
                    self._expected.discard(process.name)
                    with contextlib.suppress(OSError):  # no memory for another process: next time
                        self._note_start(process)
                        process.start()
                elif process.popen is not None:
                    _as_fast_as_this(process.popen.pid)
                    self._note_work(process)
            await asyncio.sleep(RESTART_SECONDS)

    # --- reading -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def pool(self) -> AsyncIterator[asyncpg.Pool]:
        """Of one connection, straight to the server, for one piece of work: no fault outlives it."""
        async with asyncio.timeout(10):
            pool = await open_pool(self.dsn, max_size=1, name="chaos")
        try:
            yield pool
        finally:
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool() as pool:
            conn = await pool.acquire()
            yield conn  # type: ignore[misc]

    async def insist(self, what: str, work: Callable[[], Awaitable[T]], seconds: float = INSIST_SECONDS) -> T:
        """Return what the work brings; try again while a fault is in the way. Raises HarnessFailed."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                async with asyncio.timeout(20):
                    return await work()
            except TROUBLE as err:
                if time.monotonic() > deadline:
                    raise HarnessFailed(f"{what}: not possible for {seconds:g} s: {err!r}") from err
                await asyncio.sleep(0.3)

    async def fetch(self, sql: str, *args: Any, seconds: float = INSIST_SECONDS) -> list[asyncpg.Record]:
        async def ask() -> list[asyncpg.Record]:
            async with self.connection() as conn:
                rows: list[asyncpg.Record] = await conn.fetch(sql, *args)
                return rows

        return await self.insist(f"reading {' '.join(sql.split())[:60]}…", ask, seconds)

    def tenant(self, account: str) -> Tenant:
        return next(tenant for tenant in self.tenants if tenant.account == account)

    def crm_url(self, tenant: Tenant) -> str:
        return self.crm_urls[tenant.sandbox]

    async def crm(self, tenant: Tenant, path: str, body: Any = None, seconds: float = INSIST_SECONDS) -> Any:
        """GET, or POST with a body, on the sandbox's control surface."""
        url = f"{self.crm_url(tenant)}/_sandbox/{path}"

        async def ask() -> Any:
            method = "GET" if body is None else "POST"
            async with self.stack.http.request(method, url, json=body) as response:
                said = await response.text()
                assert response.status < 300, f"{response.status} {said[:300]}"
                return json.loads(said)

        return await self.insist(f"asking {tenant.sandbox} for {path}", ask, seconds)


def _as_fast_as_this(pid: int) -> None:
    """Workers and sandboxes give way to whatever else runs. Here sandboxes stand for the CRM, which does not stand still because
    our machine is busy, and workers that get no processor for seconds lose their leases again and again: of a busy machine
    that says much, of the product nothing. Needs root; without it, they stay as they are."""
    with contextlib.suppress(OSError):
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        if os.getpriority(os.PRIO_PROCESS, pid) > mine:
            os.setpriority(os.PRIO_PROCESS, pid, mine)


@asynccontextmanager
async def running_site(*, keep: bool = False, tenants: tuple[Tenant, ...] = TENANTS) -> AsyncIterator[Site]:
    """keep: leave the logs where they are."""
    folder = Path(tempfile.mkdtemp(prefix="callmatrix-chaos-"))
    folder.chmod(0o711)
    site = Site(folder, tenants)
    try:
        await site.start()
        yield site
    finally:
        try:
            await site.stop()
        except Exception as err:  # the verdict is what counts
            print(f"… the site did not end well: {err!r}", file=sys.stderr)
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
