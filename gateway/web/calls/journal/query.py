"""What the address of the journal asks for: read leniently, so that a page says which part of it was not understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.store.calls.journal import PlaceInJournal
from gateway.web.frame import PageQuery

PERIODS = ("today", "yesterday", "week", "month", "all")
_DAYS_BACK = {"today": 0, "yesterday": 1, "week": 6, "month": 29}
_PLACE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z)_([\w-]{1,100})", re.ASCII)
_MOST = 200

CHOICES: Mapping[str, tuple[str, ...]] = {
    "direction": ("inbound", "outbound", "internal"),
    "result": ("answered", "unknown", "missed", "not_reached", "under_way"),
    "writes": ("waiting", "dead"),
}


class JournalQuery(PageQuery):
    """period: one of PERIODS; or since and until, days of the account's zone, both of them included. after: what is older
    than this place, before: newer. at: which call of all is the first of the page, for its foot."""

    q: str | None = None
    period: str | None = None
    since: str | None = None
    until: str | None = None
    line: str | None = None
    pbx: str | None = None
    person: str | None = None
    direction: str | None = None
    result: str | None = None
    kind: str | None = None
    reason: str | None = None
    writes: str | None = None
    after: str | None = None
    before: str | None = None
    at: str | None = None


FILTERS = tuple(name for name in JournalQuery.model_fields if name not in ("after", "before", "at"))


@dataclass(frozen=True, slots=True)
class JournalAsked:
    """Of one query. problems: (filter, what was sent) of those that are none. values: what is set besides the period."""

    period: str
    since: datetime | None
    until: datetime | None
    values: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def is_one_day(self) -> bool:
        return self.period in ("today", "yesterday") or bool(
            self.since and self.until and self.until - self.since <= timedelta(days=1, hours=1)
        )


def read_query(query: JournalQuery, now: datetime, zone: ZoneInfo) -> JournalAsked:
    """now: aware. Whatever cannot be is left out and named."""
    problems: list[tuple[str, str]] = []
    period, since, until = _period(query, now.astimezone(zone).date(), problems)
    values: dict[str, str] = {}
    for name in FILTERS:
        value = (getattr(query, name) or "").strip()
        if not value or name in ("period", "since", "until"):
            continue
        if len(value) > _MOST or (name in CHOICES and value not in CHOICES[name]):
            problems.append((name, value[:40]))
        else:
            values[name] = value
    return JournalAsked(period, _begin(since, zone), _begin(until, zone, 1), values, tuple(problems))


def _period(
    query: JournalQuery, today: date, problems: list[tuple[str, str]]
) -> tuple[str, date | None, date | None]:
    """Return its name ("range" for two days) with its first and last day."""
    if query.since or query.until:
        since, until = _day("since", query.since, problems), _day("until", query.until, problems)
        if since and until and since > until:
            since, until = until, since
        if since or until:
            return "range", since, until
    period = query.period or "today"
    if period not in PERIODS:
        problems.append(("period", period[:40]))
        period = "today"
    if period == "all":
        return period, None, None
    first = today - timedelta(days=_DAYS_BACK[period])
    return period, first, first if period == "yesterday" else today


def _day(name: str, text: str | None, problems: list[tuple[str, str]]) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = None
    if text and (day is None or not 2000 <= day.year < 2100):
        problems.append((name, text[:40]))
        return None
    return day


def _begin(day: date | None, zone: ZoneInfo, after: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=after), time(), zone) if day else None


def address_of(asked: JournalAsked, query: JournalQuery, **changes: Any) -> dict[str, Any]:
    """Return the parameters of the same search with some of them changed, from its first page; None takes one away."""
    kept: dict[str, Any] = dict(asked.values)
    if asked.period == "range":
        kept |= {"since": query.since, "until": query.until}
    elif asked.period != "today":
        kept["period"] = asked.period
    return {**kept, **changes}


def place_text(place: PlaceInJournal) -> str:
    at, call_id = place
    return f"{at.astimezone(ZoneInfo('UTC')).strftime('%Y-%m-%dT%H:%M:%S.%f')}Z_{call_id}"


def place_read(text: str | None) -> PlaceInJournal | None:
    """Return the place of a page, None where there is none: the journal begins at its top then."""
    found = _PLACE.fullmatch(text or "")
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1]), found[2]
    except ValueError:
        return None
