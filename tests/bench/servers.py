"""The servers that a bench compares, each a process of its own: a bare handler, and a gateway with a filled directory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate
from gateway.demo import data
from gateway.store.admin.matrices import MatrixStore
from runtime.database.pool import open_pool

_BARE = """
import sys, asyncio
from aiohttp import web
import uvloop
body = open(sys.argv[2], 'rb').read()
async def bare(request):
    return web.Response(body=body, content_type='application/json')
uvloop.install()
app = web.Application()
for path in ('/bare', '/pbx/generic/lookup'):
    app.router.add_get(path, bare)
web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), access_log=None, print=None)
"""


@contextlib.contextmanager
def throwaway_database(durable: bool = False) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="callmatrix-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=durable)
    try:
        dsn = server.start()
        asyncio.run(migrate(dsn))
        yield dsn
    finally:
        server.stop()


@contextlib.contextmanager
def process(arguments: list[str], env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    popen = subprocess.Popen(
        arguments, env={**os.environ, **(env or {})}, stdout=sys.stderr, stderr=sys.stderr
    )
    try:
        yield popen
    finally:
        popen.send_signal(signal.SIGTERM)
        try:
            popen.wait(15)
        except subprocess.TimeoutExpired:
            popen.kill()


@contextlib.contextmanager
def bare_server(port: int, body: bytes) -> Iterator[int]:
    """Yields the process id."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        with process([sys.executable, "-c", _BARE, str(port), file.name]) as popen:
            wait_for(f"http://127.0.0.1:{port}/bare")
            yield popen.pid


@contextlib.contextmanager
def gateway(port: int, dsn: str, **env: str) -> Iterator[tuple[int, float]]:
    """Yields the process id and the seconds from start to ready."""
    began = time.perf_counter()
    settings = {
        "CALLMATRIX_DATABASE_URL": dsn,
        "CALLMATRIX_PORT": str(port),
        "CALLMATRIX_LOG_LEVEL": "warning",
        **env,
    }
    with process([sys.executable, "-m", "gateway.cli", "serve", "--role", "gateway"], settings) as popen:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield popen.pid, time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(url: str, seconds: float = 120) -> None:
    async def wait() -> None:
        deadline = time.monotonic() + seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while time.monotonic() < deadline:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(url) as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.02)
        raise RuntimeError(f"{url} did not answer in {seconds} s")

    asyncio.run(wait())


async def fill_directory(dsn: str, numbers: int) -> None:
    pool = await open_pool(dsn)
    await data.prepare(pool, sandbox_url="http://127.0.0.1:9", crm_token="x.e30.x", token="bench")
    async with pool.acquire() as conn:
        account = data.ACCOUNT
        await conn.executemany(
            "INSERT INTO crm_user (account_id, user_id, name, email, is_active) VALUES ($1, $2, $3, $4, true)"
            " ON CONFLICT DO NOTHING",
            [(account, str(1000 + i), p.name, p.email) for i, p in enumerate(data.employees())],
        )
        await conn.execute("DELETE FROM directory_entry")
        await conn.execute("DELETE FROM directory_state")
        records = (
            (
                account,
                79000000000 + i,
                1,
                f'[["c","{10000000 + i}","{1001 + i % 10}",1795283120,"Клиент {i} Иванович",false]]',
            )
            for i in range(numbers)
        )
        await conn.copy_records_to_table(
            "directory_entry",
            records=records,
            columns=["account_id", "number", "seq", "candidates"],
            timeout=600,
        )
        await conn.execute(
            "INSERT INTO directory_state (account_id, seq, changed_at, loaded_at) VALUES ($1, 1, now(), now())",
            account,
        )
        await MatrixStore().current(conn, account)
        await conn.execute("ANALYZE directory_entry")
    await pool.close()


def fill(dsn: str, numbers: int) -> None:
    """A directory of so many numbers, as if the first load were over."""
    asyncio.run(fill_directory(dsn, numbers))
