"""A template, saved or not, tried on what came in the last days or on made-up deals: who would have got what. Books nothing."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from crm.store.deals import deals_created, known_deal
from gateway.distribution.availability import AccountHours, Availability
from gateway.distribution.one_person import only_of_deal
from gateway.distribution.standings import other_deals
from gateway.store.admin.accounts import Account
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.ledgers import ledgers_of
from gateway.store.distribution.listing import ItemFilter, listed_items
from gateway.store.distribution.templates import attachments_of
from routing.distribution.decide import distribute
from routing.distribution.item import Standing, WorkItem
from routing.distribution.ledger import UNIT, TurnLedger
from routing.distribution.outcome import Distribution
from routing.distribution.roster import is_group, roster_of
from routing.distribution.standings import with_counts
from routing.distribution.template import DistributionTemplate
from routing.staff import Staff
from runtime.database.pool import Conn
from runtime.progress import Progress

MOST_ITEMS = 10_000
MOST_LISTED = 200
MOST_STEPS = 5_000  # of all that is listed: a template of hundreds of people has as many steps for each deal
_SLICE = 20
_MADE_UP_EVERY = timedelta(minutes=1)
_MOST_WAITS = 20

SimulatedOf = Literal["own", "others", "created", "made_up"]
"""Which deals: that came for the template itself, that came for others, that were created in the CRM, or none that exist."""


class CameBefore(NamedTuple):
    """A deal of the past that is given once more. owner: whose it was when it came."""

    deal: str
    at: datetime
    owner: str | None = None


@dataclass(slots=True)
class _Table:
    """What is counted while items are given. meant: in billionths of a deal."""

    given: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    meant: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: dict[str, list[datetime]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0

    def add(self, item: WorkItem, at: datetime, result: Distribution) -> None:
        self.outcomes[result.outcome] += 1
        self.reasons[result.reason] += 1
        for step in result.steps:
            if step.verdict == "excluded" and "employee" in step.facts:
                self.left_out[str(step.facts["employee"]), step.because] += 1
        if result.employee_id and result.outcome == "kept":
            self.kept[result.employee_id] += 1
        elif result.employee_id:
            self.given[result.employee_id] += 1
            self.times.setdefault(result.employee_id, []).append(at)
        for entry in result.entries:
            self.meant.update({of: share for of, share in entry.shares.items() if not is_group(of)})
        if len(self.listed) < MOST_LISTED:
            self.listed.append(self._line(item, at, result))

    def _line(self, item: WorkItem, at: datetime, result: Distribution) -> dict[str, Any]:
        """Return its line of the list. steps: None where there were too many before it."""
        self.steps += len(result.steps)
        is_walked = self.steps <= MOST_STEPS
        return {
            "at": at.isoformat(),
            "came_at": item.entered_at.isoformat(),
            "deal": item.id,
            "outcome": result.outcome,
            "employee": result.employee_id,
            "reason": result.reason,
            "steps": [step.as_json() for step in result.steps] if is_walked else None,
        }

    def as_json(self, staff: Staff) -> dict[str, Any]:
        people = sorted({*self.given, *self.kept, *self.meant, *(p for p, _ in self.left_out)})
        return {
            "items": self.outcomes.total(),
            "outcomes": dict(self.outcomes),
            "reasons": dict(self.reasons),
            "people": [
                {
                    "employee": id,
                    "name": staff.by_id[id].name if id in staff.by_id else id,
                    "meant": round(self.meant[id] / UNIT, 3),
                    "given": self.given[id],
                    "kept": self.kept[id],
                    "left_out": {why: n for (who, why), n in sorted(self.left_out.items()) if who == id},
                }
                for id in people
            ],
            "list": self.listed,
        }


class Simulation:
    """One account's. now: the end of the days that are looked at."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        account_id: str,
        availability: Availability | None = None,
        now: datetime | None = None,
    ) -> None:
        self._pool, self._account_id = pool, account_id
        self._availability: Availability = availability or AccountHours()
        self._now = now or datetime.now(UTC)

    async def run(
        self,
        template: DistributionTemplate,
        progress: Progress,
        *,
        days: int | None = None,
        made_up: int | None = None,
    ) -> dict[str, Any]:
        """Return counts by person, reason and outcome, the first deals, and `of`: whose these are. days: back from now, of what came
        for this template, where nothing did of what came for others, else of what was created; made_up: so many deals of nobody
        in particular, one a minute from now on."""
        async with self._pool.acquire() as conn:
            account = await account_of(conn, self._account_id)
            staff = await staff_of(conn, self._account_id)
            ledgers = dict(await ledgers_of(conn, self._account_id, template.name))
            of: SimulatedOf = "made_up"
            if made_up:
                items = self._made_up(made_up)
            else:
                of, came = await self._came(conn, template.name, days or 7)
                items = await self._past(conn, account, staff, came)
        table = _Table()
        await progress(0, len(items))
        await self._play(account, template, staff, ledgers, items, table, progress)
        return {"template": template.name, "of": of, **table.as_json(staff)}

    def _made_up(self, count: int) -> list[WorkItem]:
        return [
            WorkItem(kind="deal", id=f"made-up-{n}", entered_at=self._now + n * _MADE_UP_EVERY)
            for n in range(min(count, MOST_ITEMS))
        ]

    async def _came(self, conn: Conn, template: str, days: int) -> tuple[SimulatedOf, Sequence[CameBefore]]:
        """Return deals of these days, newest first: a template that is new, or gave nothing, is tried on those of others in the
        pipelines in which it is attached; where it is nowhere, in all."""
        since, id = self._now - timedelta(days=days), self._account_id
        wanted = ItemFilter(template=template, since=since, until=self._now)
        if own := await listed_items(conn, id, wanted, limit=MOST_ITEMS):
            return "own", [CameBefore(row.entity_id, row.entered_at, row.owner_before) for row in own]
        pipelines = {a.pipeline_id for a in await attachments_of(conn, id, template)}
        others = {
            row.entity_id: CameBefore(row.entity_id, row.entered_at, row.owner_before)
            for row in await listed_items(conn, id, replace(wanted, template=None), limit=MOST_ITEMS)
            if not pipelines or row.pipeline_id in pipelines
        }
        if others:
            return "others", sorted(others.values(), key=lambda came: came.at, reverse=True)
        created = await deals_created(conn, id, since, self._now, sorted(pipelines) or None, limit=MOST_ITEMS)
        return "created", [CameBefore(deal, at) for deal, at in created]

    async def _past(
        self, conn: Conn, account: Account, staff: Staff, came: Sequence[CameBefore]
    ) -> list[WorkItem]:
        found: list[WorkItem] = []
        for one in reversed(came):
            deal = await known_deal(conn, self._account_id, one.deal)
            others = other_deals(deal) if deal else ()
            only = await only_of_deal(conn, account.id, account.settings.one_person, staff, one.deal)
            known = tuple(o for o in others if o.at <= one.at)
            found.append(
                WorkItem(
                    kind="deal",
                    id=one.deal,
                    entered_at=one.at,
                    owner=one.owner,
                    other_deals=known,
                    only=only,
                )
            )
        return found

    async def _play(
        self,
        account: Account,
        template: DistributionTemplate,
        staff: Staff,
        ledgers: dict[str, TurnLedger],
        items: Sequence[WorkItem],
        table: _Table,
        progress: Progress,
    ) -> None:
        roster, zone = roster_of(template, staff), ZoneInfo(account.time_zone)
        people = [p.id for p in staff.employees]
        waiting = [(item.entered_at, n, 0, item) for n, item in enumerate(items)]
        heapq.heapify(waiting)
        known: tuple[datetime, Mapping[str, Standing]] | None = None
        done = 0
        while waiting:
            at, n, times, item = heapq.heappop(waiting)
            if known is None or known[0] != at.replace(second=0, microsecond=0):
                async with self._pool.acquire() as conn:
                    said = await self._availability.standings(conn, account, template, staff, at)
                known = at.replace(second=0, microsecond=0), said
            standings = with_counts(
                known[1], people, open_deals=table.given, given=_in_window(table, template, at)
            )
            result = distribute(roster, item, ledgers, standings, at, zone)
            until = result.waits_until
            if result.outcome == "waits" and until is not None and until > at and times < _MOST_WAITS:
                heapq.heappush(waiting, (until, n, times + 1, item))
                continue
            ledgers.update(result.ledgers)
            table.add(item, at, result)
            done += 1
            if done % _SLICE == 0 or done == len(items):
                await progress(done, len(items))


def _in_window(table: _Table, template: DistributionTemplate, at: datetime) -> dict[str, int]:
    if template.window is None:
        return {}
    since = at - timedelta(minutes=template.window.minutes)
    return {id: sum(t > since for t in times) for id, times in table.times.items()}


async def simulation_work(
    pool: asyncpg.Pool,
    availability: Availability,
    account_id: str,
    asked: Mapping[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    """As long work of the kind `distribution_simulation`. asked: template (as a whole), days or made_up."""
    template = DistributionTemplate.model_validate(asked["template"], strict=False)
    return await Simulation(pool, account_id, availability).run(
        template, progress, days=asked.get("days"), made_up=asked.get("made_up")
    )
