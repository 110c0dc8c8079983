"""Builders for tests of distribution: short names, readable defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from routing.distribution.decide import distribute
from routing.distribution.item import Standing, WorkItem
from routing.distribution.ledger import TurnLedger
from routing.distribution.outcome import Distribution
from routing.distribution.roster import roster_of
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.staff import Employee, Staff

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


def a_person(name: str, group: str | None = None, **more: object) -> Employee:
    """An employee whose id is their name in small letters, linked to the CRM user "u-<id>"."""
    known = {"id": name.lower(), "name": name, "crm_user_id": f"u-{name.lower()}", "group": group}
    return Employee.model_validate({**known, **more})


def a_staff(*people: str | Employee, gone_users: Iterable[str] = ()) -> Staff:
    return Staff.of([a_person(p) if isinstance(p, str) else p for p in people], gone_users=gone_users)


def members(*names: str, **shares: int) -> tuple[TemplateMember, ...]:
    """Plain names have weight 1; `A=3000` has that percent."""
    plain = [TemplateMember(employee_id=name.lower()) for name in names]
    return (*plain, *(TemplateMember(employee_id=n.lower(), percent=s) for n, s in shares.items()))


def weighted(**weights: int) -> tuple[TemplateMember, ...]:
    return tuple(TemplateMember(employee_id=n.lower(), weight=w) for n, w in weights.items())


def a_template(*names: str, **settings: object) -> DistributionTemplate:
    """By turn among these, unless settings say otherwise."""
    return DistributionTemplate.model_validate({"name": "t", "employees": members(*names), **settings})


def a_deal(number: int = 1, **more: Any) -> WorkItem:
    return WorkItem(kind="deal", id=str(number), entered_at=NOON)._replace(**more)


class Office:
    """A template at work: gives out one thing after another and keeps the ledgers as a store would."""

    def __init__(self, template: DistributionTemplate, staff: Staff, zone: ZoneInfo = MOSCOW) -> None:
        self.roster = roster_of(template, staff)
        self.zone = zone
        self.ledgers: dict[str, TurnLedger] = {}
        self.standings: dict[str, Standing] = {}
        self.now = NOON
        self.count = 0

    def give(self, item: WorkItem | None = None, /, **standings: Standing) -> Distribution:
        self.count += 1
        known: Mapping[str, Standing] = {**self.standings, **standings}
        found = distribute(self.roster, item or a_deal(self.count), self.ledgers, known, self.now, self.zone)
        self.ledgers.update(found.ledgers)
        return found

    def give_many(self, number: int, **standings: Standing) -> str:
        """Give out so many; who got them, as a word of capitals ("-" = nobody)."""
        return "".join((self.give(None, **standings).employee_id or "-").upper() for _ in range(number))
