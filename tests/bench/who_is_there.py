"""What it costs a lookup to know who is there: 200 people with shifts, presence and a template, against none of it, in one run."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crm.directory.memory import Directory, SegmentBuilder
from gateway.configuration import Snapshot
from gateway.lookup.decided import decide_lookup
from gateway.pbx.port import LookupRequest
from gateway.store.admin.accounts import Account
from routing.distribution.decide import ladder
from routing.distribution.item import WorkItem
from routing.distribution.roster import roster_of
from routing.distribution.standings import standings_of
from routing.distribution.template import DistributionTemplate, TemplateHours, TemplateMember
from routing.lookup.available import ANYBODY, Ladder, Reachability
from routing.lookup.prepare import Prepared, prepare
from routing.presence import Presence, PresenceState
from routing.schedules.model import Schedule, WorkPlan
from routing.schedules.timetable import Timetable
from routing.settings import AccountSettings, LookupPolicy, NumberPolicy
from routing.staff import Employee, Staff
from tests.bench.report import Figure, at_most, plain, ratio

_PEOPLE = 200
_NUMBERS = 10_000
_NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_ZONE = ZoneInfo("Europe/Moscow")
_STAFF = Staff.of(
    [
        Employee(id=f"e{n}", name=f"Менеджер {n}", crm_user_id=f"u{n}", extensions=(str(1000 + n),))
        for n in range(_PEOPLE)
    ]
)
_POLICY = LookupPolicy(availability="skip", schedule="shifts", template="everybody")
_TEMPLATE = DistributionTemplate(
    name="everybody",
    employees=tuple(TemplateMember(employee_id=p.id) for p in _STAFF.employees),
    working_time=TemplateHours(mode="individual", schedule="shifts"),
)


def bench_who_is_there(times: int) -> list[Figure]:
    """Every tenth is off shift, every seventh on the phone. The medians of interleaved rounds count."""
    timetable = Timetable(_shifts(), _ZONE)
    presence = Presence({f"e{n}": PresenceState.BUSY for n in range(0, _PEOPLE, 7)})
    began = time.process_time()
    prepared = _prepared(timetable, presence)
    first_ms = (time.process_time() - began) * 1e3
    began = time.process_time()
    for _ in range(20):
        prepared = _prepared(timetable, presence)
    again_ms = (time.process_time() - began) * 1e3 / 20
    directory = _directory()
    rules = {
        "off": (LookupPolicy(), ANYBODY, _numbers_of(range(1, _PEOPLE))),
        "there": (_POLICY, prepared.reach, _numbers_of(n for n in range(_PEOPLE) if n % 10 and n % 7)),
        "away": (_POLICY, prepared.reach, _numbers_of(range(0, _PEOPLE, 10))),
    }
    taken: dict[str, list[float]] = {name: [] for name in rules}
    for _ in range(7):
        for name, rule in rules.items():
            taken[name].append(_microseconds(directory, *rule, times))
    off, there, away = (sorted(taken[name])[3] for name in ("off", "there", "away"))
    return [
        plain("lookup decided, availability off", off, "µs"),
        ratio("the same / with 200 people's availability, owner there", off / there, 0.85, f"{there:.1f} µs"),
        at_most("lookup decided, owner away: a template of 200 people", away, 500, "µs"),
        at_most(
            "200 people prepared anew, shifts known", again_ms, 10, "ms", f"the first time {first_ms:.0f}"
        ),
    ]


def _prepared(timetable: Timetable, presence: Presence) -> Prepared:
    everybody = [person.id for person in _STAFF.employees]
    standings = standings_of(_TEMPLATE, everybody, _NOON, timetable=timetable, presence=presence)
    item = WorkItem(kind="ring", id="", entered_at=_NOON)
    people = ladder(roster_of(_TEMPLATE, _STAFF), item, {}, standings, _NOON, _ZONE)
    found = Ladder("everybody", people)
    return prepare(_POLICY, _STAFF, _NOON, timetable=timetable, presence=presence, ladder=found)


def _shifts() -> Schedule:
    day, night = {1: (("09:00", "18:00"),)}, {1: (("20:00", "24:00"),)}
    return Schedule(people={f"e{n}": WorkPlan(hours=night if n % 10 == 0 else day) for n in range(_PEOPLE)})


def _directory() -> Directory:
    builder = SegmentBuilder()
    builder.add(
        (79_000_000_000 + n, f'[["c","{n}","u{n % _PEOPLE}",1795283120,"Клиент {n}",0]]'.encode())
        for n in range(_NUMBERS)
    )
    directory = Directory("a")
    directory.replace(builder.finish())
    directory.is_ready = directory.is_complete = True
    return directory


def _numbers_of(people: Iterable[int]) -> list[str]:
    return [f"+{79_000_000_000 + n}" for n in people]


def _microseconds(
    directory: Directory, policy: LookupPolicy, reach: Reachability, numbers: list[str], times: int
) -> float:
    settings = AccountSettings(lookup=policy)
    account = Account(
        id="a", name="a", crm_kind="amocrm", base_url="", time_zone="Europe/Moscow", region="RU", state="on",
        state_reason="", state_since=_NOON, settings=settings, webhook_secret="", staff_version=1,
    )  # fmt: skip
    snapshot = Snapshot(accounts={"a": account}, staff={"a": _STAFF})
    asked = [LookupRequest(number) for number in numbers]
    numbers_policy, count = NumberPolicy(), len(asked)
    began = time.process_time()
    for n in range(times):
        decide_lookup(
            "", 0.0, asked[n % count], account_id="a", policy=numbers_policy, snapshot=snapshot,
            directory=directory, available=reach,
        )  # fmt: skip
    return (time.process_time() - began) / times * 1e6
