"""What distribution came to: items as people read them, their decisions step by step, shares meant and given, as CSV too."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.decisions.explain import UrlOf, explained
from gateway.store.admin.accounts import Account, account
from gateway.store.admin.staff import staff_of
from gateway.store.decisions.decisions import NoSuchDecision, explain
from gateway.store.distribution import ledgers as store
from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import journal_of, ledgers_of, shares_by_day
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
    """meant, given: deals in these days; credit: what is owed now, negative = got more than their share."""

    employee: str
    name: str
    meant: float
    given: int
    credit: float
    by_day: Mapping[str, tuple[float, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesReport:
    """One ledger of a template. scope: "", "groups" or "group:<name>". words: why it is uneven."""

    scope: str
    people: Sequence[PersonShare]
    words: Sequence[str]


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
        people = _people(rows, ledger, staff)
        absences = await _absences(conn, account.id, template, scope, since)
        reports.append(
            SharesReport(scope=scope, people=people, words=_why(people, absences, TEXTS[language]))
        )
    return reports


def _people(rows: Sequence[store.DayShare], ledger: TurnLedger, staff: Staff) -> list[PersonShare]:
    meant: dict[str, int] = defaultdict(int)
    given: dict[str, int] = defaultdict(int)
    days: dict[str, dict[str, tuple[float, int]]] = defaultdict(dict)
    for row in rows:
        meant[row.person] += row.meant
        given[row.person] += row.given
        days[row.person][_iso(row.day)] = (round(row.meant / UNIT, 3), row.given)
    return [
        PersonShare(
            employee=id,
            name=staff.by_id[id].name if id in staff.by_id else id.removeprefix("group:"),
            meant=round(meant[id] / UNIT, 3),
            given=given[id],
            credit=round(ledger.credits.get(id, 0) / UNIT, 3),
            by_day=days[id],
        )
        for id in sorted({*meant, *given, *ledger.credits})
    ]


def _iso(day: date) -> str:
    return day.isoformat()


async def _absences(
    conn: Conn, account_id: str, template: str, scope: str, since: datetime
) -> Mapping[str, tuple[int, int]]:
    """Who was not among those who could get it: employee -> (how many decisions without them, of how many)."""
    rows = [row for row in await journal_of(conn, account_id, template, scope) if row.at >= since]
    live = [row.entry for row in rows if row.undone_at is None]
    everybody = {person for entry in live for person in entry.weights}
    return {p: (sum(p not in entry.weights for entry in live), len(live)) for p in everybody}


def _why(people: Sequence[PersonShare], absences: Mapping[str, tuple[int, int]], texts: Texts) -> list[str]:
    words: list[str] = []
    for person in people:
        missed, decisions = absences.get(person.employee, (0, 0))
        if decisions:
            words.append(
                texts.say(
                    "distribution.why.absent" if missed else "distribution.why.present",
                    name=person.name,
                    given=person.given,
                    meant=_number(person.meant),
                    missed=missed,
                    decisions=decisions,
                    credit=_number(person.credit),
                )
            )
    return words


def _number(value: float) -> str:
    return f"{value:.2f}"
