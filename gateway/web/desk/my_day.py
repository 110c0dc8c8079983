"""What stands on a manager's desk: am I here, whom do I call back, what came today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.store.clients import names_of_numbers
from gateway.admin.distribution.results import ItemInWords, in_words
from gateway.admin.presence.people import AT_WORK, online_seconds, presence_history
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import staff_of
from gateway.store.calls.journal import CallFilter, count_of, page_of
from gateway.store.calls.missed_calls import open_cases
from gateway.store.distribution.listing import ItemFilter, listed_items
from gateway.store.presence.attendance import PresenceInterval, attendances
from gateway.store.shift_change.policies import policy_of
from gateway.web.desk.away import AwayLately, away_lately
from routing.attendance.model import Attendance
from routing.client_work.values import CallRow
from routing.missed_calls import Case
from routing.staff import Employee
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn

_MOST_CASES, _MOST_DEALS = 20, 20
_RINGS_AT_MOST = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeHere:
    """A part of the day at work. left, wide: of the day's strip, in thousandths."""

    since: datetime
    until: datetime | None
    left: int
    wide: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """person: the employee. attendance: None = nothing is known yet. here_seconds: today. incoming: a call that is with them now.
    names: of clients by number. away: a question was not answered lately."""

    person: Employee
    attendance: Attendance | None
    here_seconds: int
    stretches: Sequence[TimeHere]
    cases: Sequence[Case]
    deals: Sequence[ItemInWords]
    incoming: CallRow | None
    names: Mapping[str, str]
    calls: int
    answered: int
    away: AwayLately | None

    @property
    def is_here(self) -> bool:
        return self.attendance is not None and self.attendance.is_here

    @property
    def is_asked(self) -> bool:
        return self.attendance is not None and self.attendance.mark == "asked"


async def desk_of(conn: Conn, account: Account, employee_id: str, texts: Texts, now: datetime) -> Desk | None:
    """None: there is no such employee any more."""
    staff = await staff_of(conn, account.id)
    person = staff.by_id.get(employee_id)
    if person is None:
        return None
    morning = _midnight(now, ZoneInfo(account.time_zone))
    spent = await presence_history(conn, account, employee_id, morning, now, limit=500)
    given = await listed_items(
        conn, account.id, ItemFilter(employee_id=employee_id, kind="deal", since=morning), limit=_MOST_DEALS
    )
    user = person.crm_user_id
    today = CallFilter(employee=employee_id, since=morning)
    counts = await count_of(conn, account.id, today)
    cases = await open_cases(conn, account.id, owner_id=user, limit=_MOST_CASES) if user else []
    incoming = await _incoming(conn, account.id, employee_id, now)
    numbers = {case.client for case in cases} | ({incoming.client} if incoming and incoming.client else set())
    attendance = (await attendances(conn, account.id, [employee_id])).get(employee_id)
    policy = await policy_of(conn, account.id)
    return Desk(
        person=person,
        away=await away_lately(conn, account.id, employee_id, policy, spent, attendance, now),
        attendance=attendance,
        here_seconds=online_seconds(spent, morning, now, now),
        stretches=stretches_of(spent, morning, now),
        cases=cases,
        deals=[in_words(item, staff, texts) for item in given],
        incoming=incoming,
        names=await names_of_numbers(conn, account.id, numbers),
        calls=counts.calls,
        answered=counts.answered,
    )


async def _incoming(conn: Conn, account_id: str, employee_id: str, now: datetime) -> CallRow | None:
    """Return the newest call that rings at this person, or that they are talking in."""
    wanted = CallFilter(employee=employee_id, result="under_way", since=now - _RINGS_AT_MOST)
    found = await page_of(conn, account_id, wanted, limit=1)
    return found[0] if found else None


def stretches_of(spent: Sequence[PresenceInterval], morning: datetime, now: datetime) -> list[TimeHere]:
    """Return when somebody was at work since the morning, the earliest first, with the place of each on a day's strip."""
    day = timedelta(days=1)
    found = []
    for one in sorted(spent, key=lambda one: one.since):
        if one.state not in AT_WORK:
            continue
        since, until = max(one.since, morning), min(one.until or now, now)
        left = int((since - morning) / day * 1000)
        wide = max(2, int((until - since) / day * 1000))
        found.append(TimeHere(since=since, until=one.until, left=left, wide=wide))
    return found


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
