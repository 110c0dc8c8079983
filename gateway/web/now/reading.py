"""What the page shows, read from the database: nothing of it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm.store.clients import names_of_numbers
from gateway.calendars import holidays_around
from gateway.decisions.names_then import names_then
from gateway.decisions.why.sentence import Spelling, WhySentence
from gateway.decisions.why.why import why_of
from gateway.health.checks import installation_findings, seen_by_operators
from gateway.health.findings import Finding
from gateway.health.reports import GatewayFigures, gateway_figures
from gateway.health.status import installation_status
from gateway.health.views import AccountStatus
from gateway.store.admin.accounts import Account, connections
from gateway.store.admin.staff import staff_of
from gateway.store.calls.by_minutes import CallsOfStretch, calls_by_stretch
from gateway.store.calls.journal import CallFilter, page_of
from gateway.store.calls.missed_calls import open_cases
from gateway.store.decisions.decisions import decisions_named
from gateway.web.frame import AnyPageCall
from routing.client_work.values import CallRow
from routing.missed_calls import Case
from routing.staff import Staff
from routing.working_time import working_seconds_between
from runtime.database.pool import Conn

STRETCH, STRETCHES = timedelta(minutes=5), 12
_MOST_CALLS = 50
_GOES_ON = timedelta(hours=12)
"""Longer than any call: what began before and is not over was lost."""


class HealthNow(NamedTuple):
    findings: Sequence[Finding]
    account: AccountStatus
    gateways: GatewayFigures


class Going(NamedTuple):
    """names: of clients by number. lines: of connections by id. why: by decision."""

    rows: Sequence[CallRow]
    names: Mapping[str, str]
    lines: Mapping[str, str]
    why: Mapping[str, WhySentence]
    staff: Staff


class Waiting(NamedTuple):
    """One missed call with the working seconds since it began."""

    case: Case
    seconds: int


async def health_of(call: AnyPageCall) -> HealthNow:
    """Who looks after the installation is told of all of it, others of their account."""
    pool, account_id = call.services.pool, call.account.id
    status = await installation_status(pool, call.now, account_id=account_id)
    findings = list(installation_findings(status, call.now))
    async with call.connection() as conn:
        if call.who.bound.account_id is None and call.who.may("admin"):
            findings += await seen_by_operators(conn, call.now)
        return HealthNow(findings, status.accounts[0], await gateway_figures(conn, call.now))


async def calls_going_on(call: AnyPageCall) -> Going:
    account_id = call.account.id
    async with call.connection() as conn:
        rows = await page_of(
            conn, account_id, CallFilter(result="under_way", since=call.now - _GOES_ON), limit=_MOST_CALLS
        )
        numbers = {row.client for row in rows if row.client}
        return Going(
            rows,
            await names_of_numbers(conn, account_id, numbers),
            {one.id: one.name for one in await connections(conn, account_id)},
            await _why(conn, account_id, rows, call.words),
            await staff_of(conn, account_id),
        )


async def _why(
    conn: Conn, account_id: str, rows: Sequence[CallRow], spelling: Spelling
) -> dict[str, WhySentence]:
    decided = await decisions_named(conn, account_id, [row.lookup.decision_id for row in rows if row.lookup])
    names = await names_then(conn, list(decided.values()))
    return {id: why_of(row, then, spelling) for (id, row), then in zip(decided.items(), names, strict=True)}


async def hour_of(call: AnyPageCall) -> list[CallsOfStretch]:
    """Read the latest hour in stretches that begin at whole five minutes."""
    seconds = STRETCH.total_seconds()
    last = datetime.fromtimestamp(call.now.timestamp() // seconds * seconds, call.now.tzinfo)
    async with call.connection() as conn:
        since = last - STRETCH * (STRETCHES - 1)
        return await calls_by_stretch(conn, call.account.id, since, stretch=STRETCH, count=STRETCHES)


async def longest_waiting(call: AnyPageCall, limit: int) -> list[Waiting]:
    async with call.connection() as conn:
        cases = await open_cases(conn, call.account.id, limit=limit)
    return [Waiting(case, waited(case, call.account, call.now)) for case in cases]


def waited(case: Case, account: Account, until: datetime) -> int:
    """Return the working seconds from the first missed call to `until`."""
    hours = account.settings.working_time
    zone = ZoneInfo(account.time_zone)
    return working_seconds_between(case.opened_at, until, hours, zone, holidays_around(hours, until))
