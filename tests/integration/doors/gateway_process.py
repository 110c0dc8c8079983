"""A gateway in a process of its own, with a few numbers in its directory, to be attacked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.servers import fill_directory
from tests.e2e.stack import AUTH, free_port
from tests.paths import ROOT
from tests.waiting import until


@dataclass
class GatewayProcess:
    port: int
    pid: int
    log: Path
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def lookup(self) -> float:
        """Seconds that an authorised question took, on a connection of its own."""
        began = time.perf_counter()
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.get(f"{self.url}/pbx/generic/lookup?phone=79000000007", headers=AUTH) as response,
        ):
            body = await response.json()
        assert (response.status, body["caller"]) == (200, "+79000000007")
        return time.perf_counter() - began

    async def metric(self, name: str) -> float:
        async with self.http.get(f"{self.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"callmatrix_{name}"))

    async def has_pages(self) -> bool:
        """The process that makes them starts beside the gateway, which is ready without it."""
        async with self.http.get(f"{self.url}/there/is/nothing", allow_redirects=False) as response:
            return response.status != 503

    @property
    def memory(self) -> int:
        """Resident, in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    async def attack(self, name: str, count: int) -> Any:
        """What the attack says when it is over."""
        return await self.outcome(await self.begin(name, count))

    async def begin(self, name: str, count: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.doors.strangers", name, str(self.port), str(count)),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )

    async def outcome(self, attack: asyncio.subprocess.Process) -> Any:
        out, _ = await asyncio.wait_for(attack.communicate(), 120)
        assert attack.returncode == 0
        return json.loads(out.decode().splitlines()[-1])


@contextlib.asynccontextmanager
async def gateway_process(dsn: str, *, files: int = 0, **env: str) -> AsyncIterator[GatewayProcess]:
    """files: how many it may have open, 0 = as this process."""
    await fill_directory(dsn, 100)
    port = free_port()
    settings = {
        "CALLMATRIX_DATABASE_URL": dsn,
        "CALLMATRIX_PORT": str(port),
        "CALLMATRIX_LOG_FORMAT": "json",
        **env,
    }
    limit = f"ulimit -n {files} && " if files else ""
    with tempfile.TemporaryDirectory(prefix="callmatrix-doors-") as folder:
        log = Path(folder, "log")
        with open(log, "ab") as out:
            process = await asyncio.create_subprocess_exec(
                *("sh", "-c", f'{limit}exec "$0" -m gateway.cli serve --role gateway', sys.executable),
                env={**os.environ, **settings},
                stdout=out,
                stderr=out,
                cwd=ROOT,
            )
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            running = GatewayProcess(port, process.pid, log, http)
            try:
                await until(lambda: _is_ready(running), "the gateway is ready", seconds=60)
                yield running
            finally:
                process.terminate()
                await asyncio.wait_for(process.wait(), 20)


async def _is_ready(running: GatewayProcess) -> bool:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with running.http.get(f"{running.url}/readyz") as response:
            return response.status == 200
    return False
