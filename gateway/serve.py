"""The processes as the command line starts them: settings in, running processes out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg

from gateway.admin.protection.secrets_at_rest import prepare_secrets
from gateway.app.gateway import Gateway
from gateway.db.fitness import DatabaseUnfit, unfit_to_work
from gateway.db.migrate import missing_migrations
from gateway.settings import Settings
from runtime.database.pool import open_pool
from runtime.failure import Failure
from runtime.lifecycle import background, keep_answering_at_once, refuse_taken, retry_until_available
from runtime.supervisor import Child, run_children, stop_on_signals

_CLOSE_SECONDS = 2.0
GATEWAY_POOL = 8
_PAGES_POOL = 8
_WORKER_POOL = 10, 20  # at least, at most


async def _missing_migrations(pool: asyncpg.Pool) -> list[str]:
    async with pool.acquire() as conn:
        return await missing_migrations(conn)


async def _unfit_to_work(pool: asyncpg.Pool) -> DatabaseUnfit | None:
    async with pool.acquire() as conn:
        return await unfit_to_work(conn)


@contextlib.asynccontextmanager
async def configured_pool(settings: Settings, name: str, max_size: int = 10) -> AsyncIterator[asyncpg.Pool]:
    """Yield a pool on the migrated database; waits for a database that is still starting, at most a minute."""
    dsn = str(settings.database_url)
    keys = settings.key_ring()
    pool = await retry_until_available(lambda: open_pool(dsn, max_size=max_size, name=name, keys=keys))
    try:
        missing = await retry_until_available(lambda: _missing_migrations(pool))
        if missing:
            raise Failure(
                "the schema is not up to date", f"missing: {', '.join(missing)}", "run 'callmatrix migrate'"
            )
        if unfit := await retry_until_available(lambda: _unfit_to_work(pool)):
            raise unfit
        await retry_until_available(lambda: prepare_secrets(pool))
        yield pool
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await pool.close()  # cuts the connections when it is not given the time


def refuse_taken_ports(settings: Settings) -> None:
    """Raise Failure where the gateway cannot listen."""
    refuse_taken(
        settings.host,
        {"CALLMATRIX_PORT": settings.port, "CALLMATRIX_FASTAGI_PORT": settings.fastagi_port or 0},
        "end what uses it, or choose others with CALLMATRIX_PORT and CALLMATRIX_FASTAGI_PORT",
    )


async def serve_gateway(settings: Settings) -> None:
    """With the process that makes the pages as its child: no page can hold up a lookup."""
    stop = stop_on_signals()
    async with (
        configured_pool(settings, "callmatrix gateway", GATEWAY_POOL) as pool,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
    ):
        if not settings.pages:
            await _answering_at_once(Gateway(settings, pool, session), stop)
            return
        with tempfile.TemporaryDirectory(prefix="callmatrix-") as folder:
            socket = Path(folder) / "pages.sock"
            gateway = Gateway(settings, pool, session, pages_socket=socket)
            pages = Child("pages", ["serve", "--role", "pages", "--socket", str(socket)], gives_way=True)
            async with background(run_children([pages], stop)):
                await _answering_at_once(gateway, stop)


async def _answering_at_once(gateway: Gateway, stop: asyncio.Event) -> None:
    """As soon as it listens: to fill its memory takes longer than a turn at once may be."""
    started = asyncio.get_running_loop().create_future()
    first = asyncio.create_task(_first_at_the_processor(started))
    try:
        await gateway.run(stop, started)
    finally:
        first.cancel()


async def _first_at_the_processor(started: asyncio.Future[int]) -> None:
    await started
    await keep_answering_at_once()


async def serve_pages(settings: Settings, socket: Path) -> None:
    from gateway.web.process import PagesProcess

    stop = stop_on_signals()
    async with (
        configured_pool(settings, "callmatrix pages", _PAGES_POOL) as pool,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
    ):
        # What a large page makes and drops must not have the whole program walked through for garbage each time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        await PagesProcess(settings, pool, session).run(stop, socket)


def worker_pool_size(concurrency: int) -> int:
    """Each job that runs has one, and two are left for everything else; the number of accounts is no matter."""
    least, most = _WORKER_POOL
    return min(most, max(least, concurrency + 2))


async def serve_worker(settings: Settings) -> None:
    from gateway.worker.worker import Worker

    stop = stop_on_signals()
    async with (
        configured_pool(settings, "callmatrix worker", worker_pool_size(settings.worker_concurrency)) as pool,
        aiohttp.ClientSession() as session,
    ):
        await Worker(settings, pool, session).run(stop)


async def serve_all(settings: Settings) -> None:
    """Gateway and worker as two processes, so that no work on the CRM can hold up a lookup."""
    stop = stop_on_signals()
    async with configured_pool(settings, "callmatrix start", 1):
        pass  # a database that is not there or not migrated is said once, here
    await run_children(
        [Child("gateway", ["serve", "--role", "gateway"]), Child("worker", ["serve", "--role", "worker"])],
        stop,
    )
