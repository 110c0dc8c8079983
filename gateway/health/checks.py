"""What is wrong with this installation, one finding each: settings, database, Redis, clocks, workers, accounts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import asyncpg

from crm.errors import CrmError
from crm.lane import Lane
from gateway.crm_accounts.access import crm_of
from gateway.db.migrate import missing_migrations
from gateway.health.account_checks import CLOCK_SECONDS, Finding, account_findings, bad, duration, ok, warning
from gateway.health.redis_ping import RedisUnreachable, ping
from gateway.health.status import installation_status
from gateway.health.views import AccountStatus, InstallationStatus
from gateway.settings import Settings
from gateway.store.health.status import server
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Lease
from runtime.database.pool import open_pool

__all__ = ["Finding", "check_all", "installation_findings"]

_LEAST_VERSION = 150000
_PATIENCE_SECONDS = 10.0


async def check_all(settings: Settings) -> list[Finding]:
    """Everything. Never raises: what cannot be reached is a finding. Where no worker runs, the CRM is asked from here."""
    found = list(_settings(settings))
    if settings.redis_url is not None:
        found.append(await _redis(settings.redis_url.get_secret_value()))
    if settings.database_url is None:
        return found
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            pool = await open_pool(str(settings.database_url), max_size=4, name="callmatrix check")
    except (*DATABASE_ERRORS, ValueError) as err:
        return [*found, _unreachable(err)]
    try:
        found += [finding async for finding in _database(settings, pool)]
    except DATABASE_ERRORS as err:
        found.append(_unreachable(err))
    finally:
        async with asyncio.timeout(5):
            await pool.close()
    return found


def _settings(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        yield bad(
            "settings",
            "CALLMATRIX_DATABASE_URL is empty",
            "set it to your PostgreSQL, or use 'callmatrix demo'",
        )
        return
    if not settings.public_url:
        yield warning(
            "settings",
            "CALLMATRIX_PUBLIC_URL is not set: no webhooks, no OAuth, PBX instructions show a local address",
            "set it to the address at which PBXs and the CRM reach this gateway",
        )
    elif urlsplit(settings.public_url).scheme not in ("http", "https"):
        yield bad(
            "settings",
            f"CALLMATRIX_PUBLIC_URL '{settings.public_url}' is no address",
            "give it as https://…",
        )
    elif urlsplit(settings.public_url).scheme == "http" and not _is_local(settings.public_url):
        yield warning(
            "settings", "CALLMATRIX_PUBLIC_URL is http: secrets travel readable", "put a TLS proxy in front"
        )
    else:
        yield ok("settings", f"public address {settings.public_url}")


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _unreachable(err: BaseException) -> Finding:
    return bad(
        "database",
        f"cannot be used: {type(err).__name__}: {err}".rstrip(": "),
        "is PostgreSQL running, and are user, password and name in CALLMATRIX_DATABASE_URL right?",
    )


async def _redis(url: str) -> Finding:
    try:
        took = await ping(url)
    except RedisUnreachable as err:
        return bad("redis", str(err), "check CALLMATRIX_REDIS_URL, or remove it: one node needs none")
    return ok("redis", f"answers in {took * 1000:.0f} ms")


async def _database(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Finding]:
    async with pool.acquire() as conn:
        asked = time.time()
        about = await server(conn)
        answered = time.time()
        missing = await missing_migrations(conn)
    if about["version_num"] < _LEAST_VERSION:
        yield bad("database", f"PostgreSQL {about['version']}", "version 15 or newer is needed")
    elif missing:
        yield bad(
            "database",
            f"its schema lacks {len(missing)} migrations: {missing[0]} …",
            "run 'callmatrix migrate'",
        )
        return
    else:
        yield ok("database", f"PostgreSQL {about['version']}, schema up to date")
    yield _clock(about["now"], asked, answered)
    now = datetime.now(UTC)
    status = await installation_status(pool, now)
    for finding in installation_findings(status, now):
        yield finding
    for account in status.accounts:
        if account.state == "on" and not (account.crm and account.crm.is_served):
            yield await _ask_crm(settings, pool, account)


def _clock(database_now: datetime, asked: float, answered: float) -> Finding:
    offset = database_now.timestamp() - (asked + answered) / 2
    if abs(offset) > CLOCK_SECONDS:
        return bad(
            "clock",
            f"the database's clock differs from ours by {offset:+.0f} s",
            "check the time synchronisation of both machines",
        )
    return ok("clock", f"within {abs(offset):.1f} s of the database's")


def installation_findings(status: InstallationStatus, now: datetime) -> Iterator[Finding]:
    """What the status of workers and accounts tells; the same for `check` and the status API."""
    yield from _workers(status, now)
    if not status.accounts:
        yield warning("accounts", "no CRM is connected", "connect one with 'callmatrix account add'")
    for account in status.accounts:
        yield from account_findings(account, now)


def _workers(status: InstallationStatus, now: datetime) -> Iterator[Finding]:
    alive = [w for w in status.workers if w.is_alive]
    if not alive:
        last = max((w.reported_at for w in status.workers), default=None)
        ago = f", the last was heard {duration((now - last).total_seconds())} ago" if last else ""
        yield bad("worker", f"none runs{ago}", "start one with 'callmatrix serve --role worker'")
    for worker in alive:
        failing = {name: loop.error for name, loop in worker.loops.items() if loop.error}
        for name, error in failing.items():
            yield warning(
                f"worker {worker.name} {name}", f"fails: {error}", "it is tried again; see the worker's log"
            )
        if not failing:
            yield ok(f"worker {worker.name}", f"{worker.jobs.done} jobs done, {worker.jobs.failed} failed")
    if alive:
        yield ok("jobs", f"{status.jobs_queued} queued")


async def _ask_crm(settings: Settings, pool: asyncpg.Pool, account: AccountStatus) -> Finding:
    """Only when no worker holds the account's lease: two must never ask the same CRM at once."""
    what = f"{account.id} CRM asked from here"
    lease = Lease(str(settings.database_url), account.id)
    if not await lease.try_acquire():
        return warning(what, "another process has the account's lease but does not report", "see its log")
    try:
        async with crm_of(pool, account.id, lease) as (opened, _policy):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                seen = await opened.crm.account(Lane.REALTIME)
    except CrmError as err:
        return bad(what, f"{err.code}: {err}", "check the account's address and authorisation")
    except TimeoutError:
        return bad(what, f"no answer in {_PATIENCE_SECONDS:.0f} s", f"is {account.url} reachable from here?")
    finally:
        await lease.release()
    return ok(what, f"answers as «{seen.name}»")
