"""The real processes for a test: sandbox, gateways and workers on a database of the test's own, all on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from gateway.demo import data
from routing.settings import AccountSettings, CallPolicy
from runtime.database.pool import open_pool

ACCOUNT = data.ACCOUNT
AUTH = {"Authorization": "Bearer demo"}
ADMIN = {"Authorization": "Bearer admin-of-the-test"}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Process:
    """One process of ours. log: the file that its output goes to."""

    name: str
    arguments: list[str]
    env: dict[str, str]
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli", *self.arguments],
                env={**os.environ, **self.env},
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """kill -9, and the process is gone when this returns."""
        assert self.popen is not None
        self.popen.kill()
        self.popen.wait()

    def signal(self, sig: signal.Signals) -> None:
        assert self.popen is not None
        self.popen.send_signal(sig)

    def stop(self) -> int:
        """SIGTERM; the exit code. A process that does not end within 20 s is an error of its own."""
        assert self.popen is not None
        self.popen.send_signal(signal.SIGCONT)
        self.popen.terminate()
        try:
            return self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop on SIGTERM:\n{self.said()}") from None

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@dataclass
class Stack:
    """most_a_second: requests of one integration, as the CRM counts them."""

    folder: Path
    database_url: str
    contacts: int = 50
    gateways: int = 1
    workers: int = 1
    settings: AccountSettings = field(
        default_factory=lambda: AccountSettings(calls=CallPolicy(settle_seconds=1))
    )
    env: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = (data.OFFICE_LINE,)
    sandbox_front: Callable[[str], Any] | None = None
    has_account: bool = True
    start_seconds: float = 60.0
    most_a_second: int = 7
    processes: list[Process] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    sandbox_url: str = ""
    pool: asyncpg.Pool = field(init=False)
    http: aiohttp.ClientSession = field(init=False)

    @property
    def url(self) -> str:
        return self.urls[0]

    def process(self, name: str) -> Process:
        return next(p for p in self.processes if p.name == name)

    async def start(self) -> None:
        self.pool = await open_pool(self.database_url, max_size=3)
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        port = free_port()
        self.sandbox_url = f"http://127.0.0.1:{port}"
        self.launch(
            "sandbox",
            [
                "sandbox",
                "--port",
                str(port),
                "--contacts",
                str(self.contacts),
                "--state",
                str(self.folder / "crm.sqlite"),
            ],
        )
        await self.until_answers(f"{self.sandbox_url}/_sandbox/token", self.start_seconds)
        crm_token = (await self.sandbox("token?integration=callmatrix"))["access_token"]
        gateway_ports = [free_port() for _ in range(self.gateways)]
        crm_url = (
            self.sandbox_url if self.sandbox_front is None else await self.sandbox_front(self.sandbox_url)
        )
        if self.has_account:
            await self._add_account(crm_url, crm_token)
        self.urls = [f"http://127.0.0.1:{p}" for p in gateway_ports]
        for index, gateway_port in enumerate(gateway_ports):
            self.launch(f"gateway{index}", ["serve", "--role", "gateway"], CALLMATRIX_PORT=str(gateway_port))
        for index in range(self.workers):
            self.launch(f"worker{index}", ["serve", "--role", "worker"])
        for url in self.urls:
            await self.until_answers(f"{url}/readyz", self.start_seconds)

    async def _add_account(self, crm_url: str, crm_token: str) -> None:
        await data.prepare(self.pool, sandbox_url=crm_url, crm_token=crm_token, token="admin-of-the-test")
        await self.pool.execute(
            "UPDATE account SET settings = $2 WHERE account_id = $1",
            ACCOUNT,
            self.settings.model_dump(mode="json"),
        )

    def launch(self, name: str, arguments: list[str], **more: str) -> None:
        env = {
            "CALLMATRIX_DATABASE_URL": self.database_url,
            "CALLMATRIX_PUBLIC_URL": self.urls[0] if self.urls else "",
            "CALLMATRIX_LOG_LEVEL": "info",
            "CALLMATRIX_PAGES": "false",
            "CALLMATRIX_PBX_HOSTS": "127.0.0.1",
            **self.env,
            **more,
        }
        process = Process(name, arguments, env, self.folder / f"{name}.log")
        self.processes.append(process)
        process.start()

    async def stop(self) -> None:
        """Raises AssertionError, once nothing runs any more, where a process did not end by itself."""
        try:
            with contextlib.ExitStack() as each:  # one that does not end must not keep the others alive
                for process in self.processes:
                    if process.is_running:
                        each.callback(process.stop)
        finally:
            await self.http.close()
            self.pool.terminate()

    async def until_answers(self, url: str, seconds: float = 60, status: int = 200) -> None:
        deadline = time.monotonic() + seconds
        last = ""
        while time.monotonic() < deadline:
            try:
                async with self.http.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
                    last = f"{response.status} {(await response.text())[:300]}"
                    if response.status == status:
                        return
            except (aiohttp.ClientError, TimeoutError) as err:
                last = repr(err)
            await asyncio.sleep(0.1)
        said = "\n".join(f"--- {p.name}\n{p.said()}" for p in self.processes)
        raise AssertionError(f"{url} did not answer {status} in {seconds} s: {last}\n{said}")

    async def sandbox(self, path: str) -> Any:
        async with self.http.get(f"{self.sandbox_url}/_sandbox/{path}") as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def act(self, path: str, body: Any) -> Any:
        """POST on the sandbox's control surface."""
        async with self.http.post(f"{self.sandbox_url}/_sandbox/{path}", json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json(content_type=None)

    async def rows(self, kind: str, **filters: Any) -> list[dict[str, Any]]:
        """The CRM's own rows of one kind."""
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        return list((await self.sandbox(f"state?kind={kind}{query}"))["rows"])

    async def lookup(self, phone: str, *, connection: str = "generic", **query: str) -> dict[str, Any]:
        async with self.http.get(
            f"{self.url}/pbx/{connection}/lookup", params={"phone": phone, **query}, headers=AUTH
        ) as response:
            assert response.status == 200
            answer: dict[str, Any] = json.loads(await response.read())
            return answer

    async def event(self, *, gateway: Any = 0, connection: str = "generic", **fields: Any) -> dict[str, Any]:
        """One event of the generic kind, accepted."""
        if "from_" in fields:
            fields["from"] = fields.pop("from_")
        async with self.http.post(
            f"{self.urls[gateway]}/pbx/{connection}/events", json=fields, headers=AUTH
        ) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def api(self, method: str, path: str, *, status: int = 200, body: Any = None, **query: str) -> Any:
        async with self.http.request(
            method, f"{self.url}/api{path}", json=body, params=query, headers=ADMIN
        ) as response:
            assert response.status == status, (response.status, await response.text())
            return await response.json() if response.status != 204 else None

    async def register_webhook(self, account: str = ACCOUNT, crm_url: str = "") -> None:
        """As `account add` would, for the gateway's own address. crm_url: "" = the first account's."""
        crm_url = crm_url or self.sandbox_url
        async with self.http.get(f"{crm_url}/_sandbox/token?integration=reader") as response:
            token = (await response.json())["access_token"]
        secret = await self.pool.fetchval("SELECT webhook_secret FROM account WHERE account_id = $1", account)
        settings = [f"{what}_{kind}" for what in ("responsible", "add", "update", "delete", "restore")
                    for kind in ("lead", "contact", "company")] + ["status_lead", "update_task", "responsible_task"]  # fmt: skip
        async with self.http.post(
            f"{crm_url}/api/v4/webhooks",
            json={"destination": f"{self.url}/crm/{account}/webhooks/{secret}", "settings": settings},
            headers={"Authorization": f"Bearer {token}"},
        ) as response:
            assert response.status == 201, await response.text()

    async def until_idle(self, seconds: float = 60) -> None:
        """Nothing waits any more: no event, no effect, no call that has to be looked at again."""
        deadline = time.monotonic() + seconds
        calm = 0
        while time.monotonic() < deadline:
            left = await self.pool.fetchrow(
                "SELECT (SELECT count(*) FROM inbox WHERE state = 'pending') AS events,"
                " (SELECT count(*) FROM effect WHERE state IN ('waiting', 'sending', 'unknown')) AS effects,"
                " (SELECT count(*) FROM call WHERE due_at < now() + interval '30 seconds') AS calls"
            )
            assert left is not None
            calm = calm + 1 if not any(left.values()) else 0
            if calm == 3:
                return
            await asyncio.sleep(0.15)
        said = "\n".join(f"--- {p.name}\n{p.said()}" for p in self.processes if p.name != "sandbox")
        raise AssertionError(f"not idle after {seconds} s: {dict(left or {})}\n{said}")

    async def busiest_second(self) -> int:
        """The most requests that any integration sent in any window of one second, as the CRM counts them."""
        requests = (await self.sandbox("ledger?since=0"))["requests"]
        by_integration: dict[str, list[float]] = {}
        for request in requests:
            by_integration.setdefault(request["integration"], []).append(request["at"])
        most = 0
        for times in by_integration.values():
            times.sort()
            first = 0
            for last, at in enumerate(times):
                while times[first] <= at - 1.0:
                    first += 1
                most = max(most, last - first + 1)
        return most


@contextlib.asynccontextmanager
async def running_stack(folder: Path, database_url: str, **options: Any) -> AsyncIterator[Stack]:
    stack = Stack(folder, database_url, **options)
    try:
        await stack.start()
        yield stack
        if stack.process("sandbox").is_running:
            assert await stack.busiest_second() <= stack.most_a_second, (
                "requests in one second, as the CRM counts them"
            )
    finally:
        await stack.stop()
