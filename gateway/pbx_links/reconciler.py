"""The sweeps of all connections that can be asked: at start and every few minutes, by one process of the installation.

A PBX that cannot be reached is asked again after a growing pause; nothing else waits for it or fails with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import structlog

from gateway.configuration import Configuration
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.intake.inbox import Accepted, Inbox
from gateway.pbx.call_log import CallLog, PbxError
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Parsed
from gateway.pbx_links.sweep import Sweep, SweepResult
from gateway.store.crm_accounts.exchanges import report
from gateway.store.pbx_links.reconciliation import SweepPosition, progress, save_progress
from runtime.backoff import grown_pause
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Leases
from runtime.exchange import Exchange
from runtime.keyed_tasks import run_keyed
from runtime.lifecycle import background, wait_first
from runtime.trouble import Trouble
from runtime.vendors.http import NoteExchange

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A connection as it is asked now: changed, it is another one."""

    name: str
    connection: Connection = field(hash=False)


def can_be_asked(connection: Connection, kinds: Mapping[str, PbxKind]) -> bool:
    """Say whether what its kind needs to be asked is set, and nobody switched it off (setting `reconcile`)."""
    if not connection.is_on or not connection.switch("reconcile", True) or connection.kind not in kinds:
        return False
    return kinds[connection.kind].call_log(connection) is not None


Open = Callable[[aiohttp.ClientSession, Connection, NoteExchange | None], CallLog]


LOOK_BACK = timedelta(days=3)
OVERLAP_MINUTES = 120
"""A call is listed when it has ended, under the time when it began: that much is read again."""
MARGIN = timedelta(minutes=2)
"""What ended less long ago may still be on its way to us."""
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
_ALARM_HOURS = 24
_ALARM_FAILURES = 3
_SAME_TIME_HINT = "events and the PBX's list name the same calls by different ids: choose the id's field (setting call_id_field)"


def _now() -> datetime:
    return datetime.now(UTC)


class Reconciliation:
    """inbox: started, and stopped after this has ended. minutes: between sweeps of one connection.
    first_pause: seconds after a first failure, doubled with each further one."""

    def __init__(
        self,
        configuration: Configuration,
        pool: asyncpg.Pool,
        leases: Leases,
        inbox: Inbox,
        session: aiohttp.ClientSession,
        *,
        kinds: Mapping[str, PbxKind],
        minutes: float = 10.0,
        exchanges: ExchangeLog | None = None,
        open_call_log: Open | None = None,
        now: Callable[[], datetime] = _now,
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        self._configuration = configuration
        self._pool = pool
        self._leases = leases
        self._inbox = inbox
        self._session = session
        self._seconds = minutes * 60
        self._exchanges = exchanges
        self._kinds = kinds
        self._open = open_call_log or self._open_log
        self._now = now
        self._first_pause = first_pause
        self._trouble = Trouble("reconciliation")
        self._sweeps: dict[str, Trouble] = {}

    def _open_log(
        self, session: aiohttp.ClientSession, connection: Connection, on_exchange: NoteExchange | None
    ) -> CallLog:
        opened = self._kinds[connection.kind].call_log(connection)
        if opened is None:
            raise PbxError(f"connection {connection.name} cannot be asked for its calls any more")
        return opened(session, on_exchange)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self._leases.of("all", "reconciliation") as lease:
                    self._trouble.recovered()
                    await self._follow_configuration(lease.lost)
            except DATABASE_ERRORS as err:
                self._trouble.failed(err)
            await sleep_unless_cancelled(2)

    async def _follow_configuration(self, lost: asyncio.Event) -> None:
        """One task for each connection that can be asked, begun anew when the connection changes. Until `lost`."""
        with self._configuration.changes() as changed:
            sweeps = run_keyed(
                "reconciliation",
                self._asked,
                self._run_sweep,
                changed,
                label=lambda asked: asked.connection.name,
            )
            async with background(sweeps) as failed:
                await wait_first(lost.wait(), failed)

    def _asked(self) -> set[_Asked]:
        connections = self._configuration.now.connections.values()
        return {_Asked(c.name, c) for c in connections if can_be_asked(c, self._kinds)}

    async def _run_sweep(self, asked: _Asked) -> None:
        failures, name = 0, asked.name
        while True:
            try:
                swept = await self.sweep(name)
                failures = failures + 1 if swept is None or swept.error else 0
            except Exception as err:
                failures += 1
                log.exception("reconciliation-failed", connection=name, error=type(err).__name__)
            await sleep_unless_cancelled(self._pause(failures))

    def _pause(self, failures: int) -> float:
        if not failures:
            return self._seconds
        return grown_pause(failures, self._first_pause, _LONGEST_PAUSE)

    async def sweep(self, name: str) -> SweepResult | None:
        """One sweep of one connection, now. None: it does not exist. Raises asyncpg.PostgresError and OSError only."""
        snapshot = self._configuration.now
        connection = snapshot.connections.get(name)
        if connection is None:
            return None
        async with self._pool.acquire() as conn:
            before = await progress(conn, connection.account_id, connection.id)
        if before is None:
            return None
        now = self._now()
        until = (now - MARGIN).replace(microsecond=0)
        since = min(until, _since(before, connection, now))
        policy = snapshot.policies[name]

        async def accept(parsed: Parsed) -> Accepted:
            return await self._inbox.accept(connection, parsed, b"", self._now(), policy)

        call_log = self._open(self._session, connection, self._noter(connection))
        swept = await Sweep(self._pool, connection, policy, call_log, accept).run(since, until)
        await self._tell(connection, before, swept)
        return swept

    def _noter(self, connection: Connection) -> NoteExchange | None:
        exchanges = self._exchanges
        if exchanges is None:
            return None

        def note(exchange: Exchange) -> None:
            exchanges.append(connection.account_id, connection.kind, exchange)

        return note

    async def _tell(self, connection: Connection, before: SweepPosition, swept: SweepResult) -> None:
        now = self._now()
        after = after_sweep(before, swept, now)
        trouble = self._sweeps.setdefault(
            connection.name, Trouble("reconciliation-sweep", connection=connection.name)
        )
        if swept.error:
            trouble.failed(swept.error)
        else:
            trouble.recovered()
        if swept.missing or swept.incomplete or swept.differing:
            log.error(
                "calls-were-missing",
                connection=connection.name,
                missing=swept.missing,
                incomplete=swept.incomplete,
                differing=swept.differing,
                imported=swept.imported,
            )
        body = report_of(before, after, swept, now)
        async with self._pool.acquire() as conn, conn.transaction():
            await save_progress(conn, connection.account_id, connection.id, after)
            await report(conn, connection.account_id, f"reconciliation:{connection.name}", body)


def _since(before: SweepPosition, connection: Connection, now: datetime) -> datetime:
    """From where we left off, with some overlap; at most three days back, and never before there was a connection."""
    overlap = timedelta(minutes=connection.whole("reconcile_overlap_minutes", OVERLAP_MINUTES))
    left_off = before.read_until - overlap if before.read_until else before.began_at
    return max(left_off, before.began_at, now - LOOK_BACK).replace(microsecond=0)


def after_sweep(before: SweepPosition, swept: SweepResult, now: datetime) -> SweepPosition:
    """Return the connection's row after a sweep. What was read before a failure counts, and is not read again."""
    lacked = swept.missing + swept.incomplete + swept.differing
    read_until = max((t for t in (before.read_until, swept.read_until) if t), default=None)
    after = replace(
        before,
        read_until=read_until,
        compared=before.compared + swept.compared,
        missing=before.missing + lacked,
        imported=before.imported + swept.imported,
        refused=before.refused + swept.refused,
        missing_at=now if lacked else before.missing_at,
    )
    if swept.error is None:
        return replace(after, last_success=now, failures=0, failing_since=None, last_error=None)
    return replace(
        after,
        failures=before.failures + 1,
        failing_since=before.failing_since or now,
        last_error=swept.error[:500],
    )


def alarm_of(after: SweepPosition, now: datetime) -> str | None:
    """One line for people, None when all is well. A finding stays an alarm for a day."""
    if after.failures >= _ALARM_FAILURES and after.failing_since:
        return f"the PBX's list of calls cannot be read since {after.failing_since:%Y-%m-%d %H:%M} UTC: {after.last_error}"
    if after.missing_at and now - after.missing_at < timedelta(hours=_ALARM_HOURS):
        return f"calls reached us only through the PBX's list, last noticed {after.missing_at:%Y-%m-%d %H:%M} UTC"
    return None


def report_of(
    before: SweepPosition, after: SweepPosition, swept: SweepResult, now: datetime
) -> dict[str, Any]:
    """gap: calls of this time were never looked at, since we were away for longer than we look back."""
    is_gap = before.read_until is not None and before.read_until < swept.since
    return {
        "at": now,
        "alarm": alarm_of(after, now),
        "hint": _SAME_TIME_HINT if swept.same_time else None,
        "sweep": asdict(swept),
        "gap": {"since": before.read_until, "until": swept.since} if is_gap else None,
        "last_success": after.last_success,
        "error": after.last_error,
        "failures": after.failures,
        "failing_since": after.failing_since,
        "missing_at": after.missing_at,
        "read_until": after.read_until,
        "compared": after.compared,
        "missing": after.missing,
        "imported": after.imported,
        "refused": after.refused,
    }
