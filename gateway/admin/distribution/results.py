"""What distribution came to: items as people read them, their decisions step by step, shares meant and given, as CSV too."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.decisions.explain import UrlOf, explained
from gateway.store.admin.accounts import Account, account
from gateway.store.admin.staff import staff_of
from gateway.store.decisions.decisions import NoSuchDecision, explain
from gateway.store.distribution import ledgers as store
from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import ledgers_of, shares_by_day
from gateway.texts.sentences import TEXTS
from routing.decision import decision_id_of
from routing.distribution.ledger import UNIT, TurnLedger
from routing.staff import Staff
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn

KIND = "distribution"
_MOST_DAYS = 92
CSV_COLUMNS = (
    "came_at",
    "deal",
    "template",
    "source",
    "state",
    "responsible",
    "reason",
    "decided_at",
    "taken_at",
    "overridden_by",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInWords:
    """name: of who has it. message: why, or why it was given to nobody. at: local times of the account are for its zone."""

    item: ItemRow
    name: str | None
    message: str
    is_distributed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShare:
    """meant, given: deals in these days; credit: what is owed now, negative = got more than their share. missed: of so many
    decisions they were not among those who could get it."""

    employee: str
    name: str
    meant: float
    given: int
    credit: float
    by_day: Mapping[str, tuple[float, int]]
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesReport:
    """One ledger of a template. scope: "", "groups" or "group:<name>". words: why it is uneven. decisions: how many."""

    scope: str
    people: Sequence[PersonShare]
    words: Sequence[str]
    decisions: int = 0


def in_words(item: ItemRow, staff: Staff, texts: Texts) -> ItemInWords:
    person = staff.by_id.get(item.employee_id or "")
    return ItemInWords(
        item=item,
        name=person.name if person else item.employee_id,
        message=_message(item, texts),
        is_distributed=item.state in ("given", "kept"),
    )


def _message(item: ItemRow, texts: Texts) -> str:
    """Say why, and what is still to come of it or what the other side said."""
    why = reason_in_words(item.reason, texts)
    if item.state == "failed" and item.error:
        return texts.say("distribution.item.in_full", why=why, error=item.error)
    return why if item.is_written else texts.say("distribution.item.on_its_way", why=why)


def reason_in_words(reason: str, texts: Texts) -> str:
    """Say what the rules decided, or why there was nothing to decide."""
    reason = reason or "new"
    for prefix in ("distribution.reason", "distribution.item"):
        if f"{prefix}.{reason}" in texts.sentences:
            return texts.word(prefix, reason)
    return reason


async def decisions_of(
    conn: Conn, account_id: str, item: ItemRow, language: Language, url_of: UrlOf | None = None
) -> list[dict[str, Any]]:
    """Return the decisions of an item as `explain` does, the oldest first; old ones may be cleaned away."""
    found: list[dict[str, Any]] = []
    zone = ZoneInfo((await account(conn, account_id)).time_zone)
    for decision_id in _decision_ids(item):
        try:
            found += [
                explained(one, TEXTS[language], zone, url_of)
                for one in await explain(conn, account_id, decision_id)
            ]
        except NoSuchDecision:
            continue
    return found


def _decision_ids(item: ItemRow) -> list[str]:
    """Return those that decided it; of a call it is one, which decided all else of that call too."""
    if item.kind == "call":
        return [item.decision_id] if item.decision_id else []
    return [decision_id_of(item.account_id, KIND, item.item_id, str(n)) for n in range(item.round)]


def as_csv(rows: Iterable[ItemInWords], zone: str) -> str:
    """One line an item, times by the clocks of the zone; what a spreadsheet would take for a formula is a text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        item = row.item
        writer.writerow(
            map(
                _plain,
                (
                    _local(item.created_at, zone),
                    item.entity_id,
                    item.template,
                    item.source,
                    item.state,
                    row.name or "",
                    row.message,
                    _local(item.decided_at, zone),
                    _local(item.taken_at, zone),
                    item.overridden_by or "",
                ),
            )
        )
    return out.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _local(at: datetime | None, zone: str) -> str:
    return "" if at is None else at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


async def shares_of(
    conn: Conn, account: Account, template: str, days: int, language: Language, now: datetime | None = None
) -> list[SharesReport]:
    """Compare, by the account's days, what each was meant to get with what they got, and say why it is uneven."""
    zone = ZoneInfo(account.time_zone)
    now = now or datetime.now(UTC)
    first = now.astimezone(zone).date() - timedelta(days=min(days, _MOST_DAYS) - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)
    ledgers, staff = await ledgers_of(conn, account.id, template), await staff_of(conn, account.id)
    reports: list[SharesReport] = []
    for scope, ledger in sorted(ledgers.items()):
        rows = await shares_by_day(conn, account.id, template, since, now, account.time_zone, scope)
        decisions, could = sum(row.given for row in rows), _could(rows)
        people = _people(rows, ledger, staff, decisions, could)
        words = _why(people, decisions, could, TEXTS[language])
        reports.append(SharesReport(scope=scope, people=people, words=words, decisions=decisions))
    return reports


def _could(rows: Sequence[store.DayShare]) -> Mapping[str, int]:
    """Return in how many decisions each was among those who could get it; who never was is absent."""
    could: Counter[str] = Counter()
    for row in rows:
        could[row.person] += row.could
    return {person: times for person, times in could.items() if times}


def _people(
    rows: Sequence[store.DayShare],
    ledger: TurnLedger,
    staff: Staff,
    decisions: int,
    could: Mapping[str, int],
) -> list[PersonShare]:
    """could: in how many of the decisions each could have got it."""
    meant: dict[str, int] = defaultdict(int)
    given: dict[str, int] = defaultdict(int)
    days: dict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
    for row in rows:
        meant[row.person] += row.meant
        given[row.person] += row.given
        days[row.person][row.day.isoformat()] = (round(row.meant / UNIT, 3), row.given)
    return [
        PersonShare(
            employee=id,
            name=staff.by_id[id].name if id in staff.by_id else id.removeprefix("group:"),
            meant=round(meant[id] / UNIT, 3),
            given=given[id],
            credit=round(ledger.credits.get(id, 0) / UNIT, 3),
            by_day=days[id],
            missed=decisions - could.get(id, 0),
        )
        for id in sorted({*meant, *given, *ledger.credits})
    ]


def _why(people: Sequence[PersonShare], decisions: int, could: Mapping[str, int], texts: Texts) -> list[str]:
    return [
        texts.say(
            "distribution.why.absent" if person.missed else "distribution.why.present",
            name=person.name,
            given=person.given,
            meant=_number(person.meant),
            missed=person.missed,
            decisions=decisions,
            credit=_number(person.credit),
        )
        for person in people
        if person.employee in could
    ]


def _number(value: float) -> str:
    return f"{value:.2f}"
