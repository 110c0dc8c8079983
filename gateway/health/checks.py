"""What is wrong with this installation, one finding each: settings, database, Redis, clocks, workers, accounts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import asyncpg

from crm.errors import CrmError
from crm.lane import Lane
from crm.store.metadata import connected_twice
from gateway.crm_accounts.access import crm_of
from gateway.db.fitness import unfit_in_the_long_run, unfit_to_migrate, unfit_to_work
from gateway.db.migrate import missing_migrations
from gateway.health.account_checks import CLOCK_SECONDS, LAG_SECONDS, account_findings
from gateway.health.database_findings import unfit_finding, unusable_finding
from gateway.health.findings import Finding, about, bad, detail, duration, ok, warning
from gateway.health.redis_ping import RedisUnreachable, ping
from gateway.health.secret_checks import secrets_findings
from gateway.health.status import installation_status
from gateway.health.stranger_checks import stranger_findings
from gateway.health.views import AccountStatus, AlertsView, ConsumerView, InstallationStatus
from gateway.settings import Settings
from gateway.store.admin.accounts import accounts
from gateway.store.health.status import server
from routing.texts.catalogue import Language
from runtime.addresses import is_local
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Leases
from runtime.database.pool import Conn, open_pool
from runtime.database.sealing import SealingError

__all__ = ["Finding", "check_all", "installation_findings"]

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
            pool = await open_pool(
                str(settings.database_url), max_size=4, name="callmatrix check", keys=settings.key_ring()
            )
    except SealingError as err:
        return [*found, bad("secrets-key-unusable", about("secrets"), error=str(err))]
    except (*DATABASE_ERRORS, ValueError) as err:
        return [*found, unusable_finding(err)]
    try:
        found += [finding async for finding in _database(settings, pool)]
    except DATABASE_ERRORS as err:
        found.append(unusable_finding(err))
    finally:
        async with asyncio.timeout(5):
            await pool.close()
    return found


async def only_language(settings: Settings, found: Sequence[Finding]) -> Language | None:
    """Return the language of the only account; None where there is none, several, or no database. found: by `check_all`."""
    database = about("database")
    if settings.database_url is None or any(f.about == database and not f.is_ok for f in found):
        return None
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            pool = await open_pool(
                str(settings.database_url), max_size=1, name="callmatrix check", keys=settings.key_ring()
            )
            async with pool, pool.acquire() as conn:
                languages = [account.settings.language for account in await accounts(conn)]
    except (*DATABASE_ERRORS, SealingError, ValueError):
        return None
    return languages[0] if len(languages) == 1 else None


def _settings(settings: Settings) -> Iterator[Finding]:
    what, url = about("settings"), settings.public_url
    if settings.database_url is None:
        yield bad("database-unset", what)
    elif not url:
        yield warning("public-url-unset", what)
    elif urlsplit(url).scheme not in ("http", "https"):
        yield bad("public-url-invalid", what, url=url)
    elif urlsplit(url).scheme == "http" and not is_local(urlsplit(url).hostname):
        yield warning("public-url-plain", what)
    else:
        yield ok("public-url", what, url=url)
    yield from _alert_settings(settings)


def _alert_settings(settings: Settings) -> Iterator[Finding]:
    what, emails, chats = about("alerts"), len(settings.alert_emails), len(settings.alert_telegram_chats)
    if (emails and not settings.smtp_host) or (chats and not settings.telegram_token):
        yield bad("alerts-channel-unset", what)
    elif (emails and settings.mails_in_the_clear) or (chats and settings.telegram_in_the_clear):
        yield bad("alerts-in-the-clear", what)
    elif emails or chats:
        yield ok("alerts-set", what, emails=emails, chats=chats)
    else:
        yield ok("alerts-unset", what)


async def _redis(url: str) -> Finding:
    try:
        took = await ping(url)
    except RedisUnreachable as err:
        return bad("redis-unreachable", about("redis"), error=str(err))
    return ok("redis-answers", about("redis"), took_ms=took * 1000)


async def _database(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Finding]:
    async with pool.acquire() as conn:
        asked = time.time()
        running = await server(conn)
        answered = time.time()
        missing = await missing_migrations(conn)
    what, version = about("database"), str(running["version"])
    if missing:
        yield bad("schema-old", what, count=len(missing), first=str(missing[0]))
    async with pool.acquire() as conn:
        unfit = await (unfit_to_migrate(conn) if missing else unfit_to_work(conn))
        aging = None if missing else await unfit_in_the_long_run(conn)
    for one in (unfit, aging):
        if one:
            yield unfit_finding(one)
    if missing or unfit:
        return
    if not aging:
        yield ok("database-well", what, version=version)
    yield _clock(running["now"], asked, answered)
    async with pool.acquire() as conn:
        for finding in await seen_by_operators(conn, datetime.now(UTC)):
            yield finding
    now = datetime.now(UTC)
    status = await installation_status(pool, now)
    for finding in installation_findings(status, now):
        yield finding
    for account in status.accounts:
        if account.state == "on" and not (account.crm and account.crm.is_served):
            yield await _ask_crm(settings, pool, account)


async def seen_by_operators(conn: Conn, now: datetime) -> list[Finding]:
    """Return what concerns several accounts at once, and the doors; the same for `check` and the status API."""
    twins = [
        warning("crm-connected-twice", about("settings"), names=", ".join(names))
        for names in await connected_twice(conn)
    ]
    return [*await stranger_findings(conn, now), *twins]


def _clock(database_now: datetime, asked: float, answered: float) -> Finding:
    offset = database_now.timestamp() - (asked + answered) / 2
    if abs(offset) > CLOCK_SECONDS:
        return bad("clock-differs", about("clock"), offset=offset)
    return ok("clock-well", about("clock"), offset=abs(offset))


def installation_findings(status: InstallationStatus, now: datetime) -> Iterator[Finding]:
    """Return what the status of secrets, workers and accounts tells; the same for `check` and the status API."""
    if status.secrets is not None:
        yield from secrets_findings(status.secrets)
    yield from _workers(status, now)
    yield from _alerts(status.alerts)
    for consumer in status.crm_event_consumers:
        yield _consumer(consumer)
    if not status.accounts:
        yield warning("accounts-missing", about("accounts"))
    for account in status.accounts:
        yield from account_findings(account, now)


def _workers(status: InstallationStatus, now: datetime) -> Iterator[Finding]:
    alive = [w for w in status.workers if w.is_alive]
    if not alive:
        yield _no_worker(status, now)
    for worker in alive:
        failing = {name: loop.error for name, loop in worker.loops.items() if loop.error}
        for name, error in failing.items():
            yield warning(
                "worker-loop-failing", about("worker-loop", worker=worker.name, loop=name), error=error
            )
        if not failing:
            what = about("worker-named", worker=worker.name)
            yield ok("worker-well", what, done=worker.jobs.done, failed=worker.jobs.failed)
    if alive:
        yield ok("jobs-queued", about("jobs"), count=status.jobs_queued)


def _alerts(alerts: AlertsView) -> Iterator[Finding]:
    """Alarms that nobody can read are the ones to know of."""
    if alerts.unsent or alerts.given_up:
        what, count = about("alerts"), alerts.unsent + alerts.given_up
        yield bad("alerts-unsent", what, count=count, error=alerts.error or detail("alerts-error-unknown"))


def _consumer(consumer: ConsumerView) -> Finding:
    what = about("crm-events", consumer=consumer.name)
    if consumer.aside:
        return warning("crm-events-aside", what, count=consumer.aside, waiting=consumer.waiting)
    if consumer.lag_seconds > LAG_SECONDS:
        return warning("crm-events-late", what, count=consumer.waiting, age=duration(consumer.lag_seconds))
    return ok("crm-events-waiting", what, count=consumer.waiting)


def _no_worker(status: InstallationStatus, now: datetime) -> Finding:
    last = max((w.reported_at for w in status.workers), default=None)
    heard = detail("worker-last-heard", last, ago=duration((now - (last or now)).total_seconds()))
    return bad("workers-missing", about("worker"), last=heard)


async def _ask_crm(settings: Settings, pool: asyncpg.Pool, account: AccountStatus) -> Finding:
    """Only when no worker holds the account's lease: two must never ask the same CRM at once."""
    what = about("crm-asked", account=account.id)
    lease = Leases(str(settings.database_url)).of(account.id)
    if not await lease.try_acquire():
        return warning("lease-held", what)
    try:
        async with crm_of(pool, account.id, lease, settings.named_crm_hosts()) as (opened, _policy):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                seen = await opened.crm.account(Lane.REALTIME)
    except CrmError as err:
        return bad("crm-refuses", what, reason=err.code, error=str(err))
    except TimeoutError:
        return bad("crm-silent", what, seconds=_PATIENCE_SECONDS, url=account.url)
    finally:
        await lease.release()
    return ok("crm-answers-as", what, name=seen.name)
