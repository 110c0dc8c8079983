"""Who is at work, as people see it and switch it: once for the API and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.calendars import is_working_now
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import AuditChange, current_actor, record
from gateway.store.admin.staff import staff_of
from gateway.store.presence import attendance as rows
from gateway.store.presence import watches
from routing.attendance.machine import answer, first_seen, switch
from routing.attendance.model import Attendance, state_of
from routing.attendance.trust import doubt
from routing.staff import Employee
from runtime.database.pool import Conn

NOT_WATCHED = "not_watched"
"""In place of a doubt: nobody has looked yet."""
AT_WORK = ("on", "asked", "dnd")
"""States of intervals in which somebody is at work: asked and do-not-disturb are."""
LONGEST_PAGE = 64
_LONGEST_HISTORY = timedelta(days=3660)


class PresenceOff(InputRefused):
    """The account does not watch presence: switch it on with the setting presence.is_on."""

    code = "presence-off"

    def __init__(self, account_id: str) -> None:
        super().__init__(
            "account",
            f"account '{account_id}' does not watch presence",
            "whoever looks after the installation switches it on, with the account's setting presence.is_on",
        )


class QuestionOver(InputRefused):
    """There is no open question of that moment: it was answered, or somebody was seen meanwhile."""

    code = "question-over"

    def __init__(self, employee_id: str) -> None:
        super().__init__(
            "question",
            f"employee '{employee_id}' is not asked anything",
            "look at the state as it is now; presence on says that somebody is there",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNow:
    """attendance: None = nothing is known of them yet."""

    employee: Employee
    attendance: Attendance | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceNow:
    """doubt: why nobody is taken off just now, "" = silence counts. feed_error: what the CRM's feed last failed with."""

    is_on: bool
    people: list[PersonNow]
    doubt: str
    feed_read_at: datetime | None
    feed_heard_at: datetime | None
    feed_error: str


async def presence_now(conn: Conn, account: Account, now: datetime) -> PresenceNow:
    staff = await staff_of(conn, account.id)
    known = await rows.attendances(conn, account.id)
    watch = await watches.watch_of(conn, account.id)
    policy = account.settings.presence
    said = (
        doubt(
            watch,
            policy,
            now,
            is_working_time=is_working_now(account.settings.working_time, account.time_zone, now),
        )
        if watch
        else NOT_WATCHED
    )
    return PresenceNow(
        is_on=policy.is_on,
        people=[PersonNow(employee=p, attendance=known.get(p.id)) for p in staff.employees],
        doubt=said if policy.is_on else "",
        feed_read_at=watch.feed_read_at if watch else None,
        feed_heard_at=watch.feed_heard_at if watch else None,
        feed_error=watch.feed_error if watch else "",
    )


async def person_now(conn: Conn, account: Account, employee_id: str) -> PersonNow:
    """Raise NothingOfThatName."""
    person = await _employee(conn, account, employee_id)
    known = await rows.attendances(conn, account.id, [employee_id])
    return PersonNow(employee=person, attendance=known.get(employee_id))


async def switch_presence(
    conn: Conn, account: Account, employee_id: str, now: datetime, *, is_on: bool
) -> PersonNow:
    """Start or stop somebody's counter; who did it stands in its history and in the record of changes. Raise PresenceOff,
    NothingOfThatName; nothing is stored then."""
    _refuse_off(account)
    async with conn.transaction():
        person = await _employee(conn, account, employee_id)
        before = await _locked(conn, account, employee_id)
        was = before or first_seen(now)
        after = switch(was, is_on, current_actor().name, now)
        await rows.save(conn, account.id, employee_id, before, after, now)
        await record(
            conn,
            AuditChange(
                what="presence",
                object=employee_id,
                action="started" if is_on else "stopped",
                account_id=account.id,
                before={"state": state_of(was).value, "reason": was.reason.value},
                after={"state": state_of(after).value, "reason": after.reason.value},
            ),
        )
    return PersonNow(employee=person, attendance=after)


async def answer_question(
    conn: Conn, account: Account, employee_id: str, now: datetime, *, is_here: bool, asked_at: datetime | None
) -> PersonNow:
    """asked_at: which question, None = the one that is open. Raise PresenceOff, NothingOfThatName, QuestionOver; nothing is
    stored then."""
    _refuse_off(account)
    async with conn.transaction():
        person = await _employee(conn, account, employee_id)
        before = await _locked(conn, account, employee_id)
        question = before.question if before else None
        if before is None or question is None or asked_at not in (None, question.asked_at):
            raise QuestionOver(employee_id)
        after = answer(before, question.asked_at, is_here, current_actor().name, now)
        await rows.save(conn, account.id, employee_id, before, after, now)
    return PersonNow(employee=person, attendance=after)


async def presence_history(
    conn: Conn,
    account: Account,
    employee_id: str,
    since: datetime,
    until: datetime,
    *,
    before: int | None = None,
    limit: int = 100,
) -> list[rows.PresenceInterval]:
    """Return the intervals that touch this time, newest first; of employees who are gone too."""
    if since >= until or until - since > _LONGEST_HISTORY:
        raise InputRefused(
            "since", "that is no span of time", "let since lie before until, by ten years at most"
        )
    return await rows.history(conn, account.id, employee_id, since, until, before=before, limit=limit)


def online_seconds(
    intervals: list[rows.PresenceInterval], since: datetime, until: datetime, now: datetime
) -> int:
    """Return how long somebody was at work within a time."""
    total = timedelta()
    for one in intervals:
        if one.state in AT_WORK:
            end = min(one.until or now, until, now)
            total += max(end - max(one.since, since), timedelta())
    return int(total.total_seconds())


def _refuse_off(account: Account) -> None:
    if not account.settings.presence.is_on:
        raise PresenceOff(account.id)


async def _employee(conn: Conn, account: Account, employee_id: str) -> Employee:
    found = (await staff_of(conn, account.id)).by_id.get(employee_id)
    if found is None:
        raise NothingOfThatName("employee", employee_id, "presence list")
    return found


async def _locked(conn: Conn, account: Account, employee_id: str) -> Attendance | None:
    return (await rows.attendances(conn, account.id, [employee_id], lock=True)).get(employee_id)
