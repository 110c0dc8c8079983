"""What the pages of an office of hundreds show besides calls and distribution: painted schedules, triggers and what they fired on,
texts, and a campaign with a long list."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date

import asyncpg

from campaigns.model import CampaignSettings
from gateway.store.admin.schedules import save_schedule
from gateway.store.campaigns.campaigns import add_campaign, lock_campaign
from gateway.store.campaigns.members import NewMember, add_members
from gateway.store.triggers.triggers import save_trigger
from routing.schedules.model import NamedShift, Period, Schedule, WorkPlan
from routing.triggers.model import CallBack, Trigger, TriggerEvent
from runtime.database.pool import Conn

PAINTED, WEEKLY, LISTED = "Смены", "Неделя", "Обзвон"
_DAY, _NIGHT = (("09:00", "18:00"),), (("21:00", "09:00"),)
_MESSAGES = """
INSERT INTO sms_message (account_id, connection, number, text, encoding, parts, state, fresh_until, expires_at, created_at,
    claimed_at, ended_at)
SELECT $1, 'texts', '+79' || (160000000 + n), 'Ждём вас завтра', 'gsm7', 1, 'delivered', at, at, at, at, at
FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, $2::int) n) made
"""
_FIRINGS = """
INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause_key, cause, source, state, reason, happened_at,
    created_at, ended_at)
SELECT $1, 'f' || n, 'перезвонить ' || n % $3, 1, n::text, 'c', '{"on": "entered", "pipeline_id": "1", "stage_id": "11"}', 'event',
    'skipped', 'not_met', at, at, at
FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, $2::int) n) made
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsSize:
    """people: in both schedules. outgoing: firings, texts and numbers of the campaign, so many of each."""

    people: int
    triggers: int
    outgoing: int


async def fill_rooms(pool: asyncpg.Pool, account_id: str, size: RoomsSize, today: date) -> None:
    """Of people with the ids p0, p1 … (distribution_rows.py)."""
    async with pool.acquire() as conn, conn.transaction():
        await _schedules(conn, account_id, size.people, today)
        await _triggers(conn, account_id, size)
        await conn.execute(_MESSAGES, account_id, size.outgoing)
        await _campaign(conn, account_id, size.outgoing)
        await conn.execute("ANALYZE")


async def _schedules(conn: Conn, account_id: str, people: int, today: date) -> None:
    """One with hours for each person on each day of the month, and one by weekdays with this month's exceptions."""
    days = calendar.monthrange(today.year, today.month)[1]

    def month_of(n: int, every: int = 1) -> tuple[Period, ...]:
        dates = [today.replace(day=day) for day in range(1, days + 1, every)]
        return tuple(Period(first=d, last=d, hours=(_DAY, _NIGHT, ())[(d.day + n) % 3]) for d in dates)

    shifts = (NamedShift(letter="Д", name="День", colour="teal", hours=_DAY),)
    painted = Schedule(
        kind="by_day", shifts=shifts, people={f"p{n}": WorkPlan(periods=month_of(n)) for n in range(people)}
    )
    week = dict.fromkeys(range(1, 6), _DAY)
    weekly = Schedule(
        people={f"p{n}": WorkPlan(hours=week, periods=month_of(n, every=7)) for n in range(people)}
    )
    await save_schedule(conn, account_id, PAINTED, painted, "bench")
    await save_schedule(conn, account_id, WEEKLY, weekly, "bench")


async def _triggers(conn: Conn, account_id: str, size: RoomsSize) -> None:
    for n in range(size.triggers):
        trigger = Trigger(
            name=f"перезвонить {n}",
            pipeline_id="1",
            stage_id="11",
            events=(TriggerEvent(on="entered"),),
            action=CallBack(connection="office"),
            is_on=False,
        )
        await save_trigger(conn, account_id, trigger, "bench")
    await conn.execute(_FIRINGS, account_id, size.outgoing, size.triggers)


async def _campaign(conn: Conn, account_id: str, numbers: int) -> None:
    settings = CampaignSettings.model_validate(
        {"connection": "office", "target": {"kind": "employee", "employee_id": "p1"}}
    )
    await add_campaign(conn, account_id, LISTED, settings, "bench")
    row = await lock_campaign(conn, account_id, LISTED)
    assert row is not None
    members = [NewMember(number=f"+7916{n:07}", name=f"Клиент {n}", data={}) for n in range(numbers)]
    await add_members(conn, row, members, source="api")
