"""Whether deals are shared as they are meant to be: what everybody got beside their share, and by what the two differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from markupsafe import Markup

from gateway.admin.distribution.results import PersonShare, SharesReport
from gateway.store.distribution.listing import PersonGot
from gateway.web.charts.bars import BarLine, Column, bars, lines
from gateway.web.words.words import Words
from routing.distribution.roster import GROUPS
from routing.staff import Staff

ENOUGH = 20
_BESIDE = ("repeat_owner", "repeat_owner_substitute", "only_this_person", "only_person_substitute")
_INSTEAD = ("fallback", "senior", "rounds_over")
_NOTABLE = 0.99
_MOST_BARS, _MOST_COLUMNS = 40, 31


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMeasured:
    """meant: deals by their share of each decision in which they could get it. by_turn: got so; beside: clients who were theirs
    already; instead: because nobody else could; overridden: given on by hand afterwards. could: part of the decisions in which
    they could get it, None = not known. off: all that they got, less what was meant. why: a sentence, "" = they are not apart."""

    name: str
    user: str
    meant: float
    by_turn: int
    beside: int
    instead: int
    overridden: int
    could: float | None
    why: str = ""

    @property
    def total(self) -> int:
        return self.by_turn + self.beside + self.instead

    @property
    def off(self) -> float:
        return self.total - self.meant


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMeasured:
    name: str
    meant: float
    got: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evenness:
    """deals: of all. verdict: the one sentence. reasons: why it is uneven, the greatest difference first."""

    deals: int
    people: Sequence[PersonMeasured]
    groups: Sequence[GroupMeasured]
    verdict: str
    reasons: Sequence[str]
    drawing: Markup
    by_day: Sequence[tuple[str, int]]
    days_drawn: Markup | None
    people_lines: Sequence[tuple[str, ...]]


def measured(
    reports: Sequence[SharesReport],
    got: Sequence[PersonGot],
    staff: Staff,
    words: Words,
    days: Sequence[date],
) -> Evenness:
    """days: that are looked at, in order."""
    shares = _shares_of_people(reports)
    by_person = _by_person(got)
    found = [_person(id, shares.get(id), by_person.get(id, {}), staff, words) for id in {*shares, *by_person}]
    people = sorted((p for p in found if p.total or p.meant), key=lambda p: (-p.meant, -p.total, p.name))
    totals = _totals_by_day(reports, days)
    off = max((abs(p.by_turn - p.meant) for p in people), default=0.0)
    key = "distribution.even.verdict.even" if off <= 1 else "distribution.even.verdict.uneven"
    return Evenness(
        deals=sum(p.total for p in people),
        people=people,
        groups=_groups(reports),
        verdict=words.texts.say(key, off=words.decimal(off)),
        reasons=[p.why for p in sorted(people, key=lambda p: -abs(p.off)) if p.why][:8],
        drawing=_drawn(people, words),
        by_day=[(words.day(day), n) for day, n in totals],
        days_drawn=_days_drawn(totals, words) if 1 < len(totals) <= _MOST_COLUMNS else None,
        people_lines=[_line(p, words) for p in people],
    )


def _line(one: PersonMeasured, words: Words) -> tuple[str, ...]:
    """Return it as the table has it."""
    counts = (one.by_turn, one.beside, one.instead, one.total)
    could = "–" if one.could is None else words.percent(one.could)
    return (one.name, words.decimal(one.meant), *(words.count(n) for n in counts), could)


def _shares_of_people(reports: Sequence[SharesReport]) -> dict[str, tuple[PersonShare, int]]:
    """Return, of each, their share and how many decisions it is of; whoever stands beside groups is a row among these."""
    found: dict[str, tuple[PersonShare, int]] = {}
    for report in reports:
        for share in report.people:
            if not share.employee.startswith("group:"):
                found[share.employee] = share, report.decisions
    return found


def _by_person(got: Sequence[PersonGot]) -> dict[str, dict[str, PersonGot]]:
    found: dict[str, dict[str, PersonGot]] = {}
    for one in got:
        found.setdefault(one.employee_id, {})[one.reason] = one
    return found


def _person(
    id: str,
    known: tuple[PersonShare, int] | None,
    got: Mapping[str, PersonGot],
    staff: Staff,
    words: Words,
) -> PersonMeasured:
    person = staff.by_id.get(id)
    beside = sum(got[why].items for why in _BESIDE if why in got)
    instead = sum(got[why].items for why in _INSTEAD if why in got)
    meant, decisions = (known[0].meant, known[1]) if known else (0.0, 0)
    measured = PersonMeasured(
        name=person.name if person else id,
        user=(person.crm_user_id if person else None) or "0",
        meant=meant,
        by_turn=sum(one.items for why, one in got.items() if why not in (*_BESIDE, *_INSTEAD)),
        beside=beside,
        instead=instead,
        overridden=sum(one.overridden for one in got.values()),
        could=(decisions - known[0].missed) / decisions if known and decisions else None,
    )
    return _with_reason(measured, words)


def _with_reason(one: PersonMeasured, words: Words) -> PersonMeasured:
    """Say what lies between the share and what they have; who could get little had a small share of it, and that is fair."""
    say = words.texts.say
    parts = []
    if one.beside:
        parts.append(say("distribution.even.beside", n=one.beside))
    if one.instead:
        parts.append(say("distribution.even.instead", n=one.instead))
    if one.overridden:
        parts.append(say("distribution.even.overridden", n=one.overridden))
    if one.could is not None and one.could < 0.9:
        parts.append(say("distribution.even.could", part=words.percent(one.could)))
    if not parts and abs(one.off) <= _NOTABLE:
        return one
    more = words.decimal(abs(one.off))
    key = "more" if one.off > _NOTABLE else "less" if one.off < -_NOTABLE else "same"
    said = say(
        f"distribution.even.{key}", name=one.name, n=more, why=tuple(parts) or say("distribution.even.order")
    )
    return replace(one, why=said)


def _groups(reports: Sequence[SharesReport]) -> list[GroupMeasured]:
    return [
        GroupMeasured(name=share.name, meant=share.meant, got=share.given)
        for report in reports
        if report.scope == GROUPS
        for share in report.people
        if share.employee.startswith("group:")
    ]


def _totals_by_day(reports: Sequence[SharesReport], days: Sequence[date]) -> list[tuple[date, int]]:
    """Count what was given in turn; of levels the upper one has all."""
    top = [r for r in reports if r.scope == GROUPS] or [r for r in reports if r.scope == ""]
    counts: dict[str, int] = {}
    for report in top:
        for share in report.people:
            for day, (_, given) in share.by_day.items():
                counts[day] = counts.get(day, 0) + given
    return [(day, counts.get(day.isoformat(), 0)) for day in days]


def _drawn(people: Sequence[PersonMeasured], words: Words) -> Markup:
    shown = people[:_MOST_BARS]
    items = [
        BarLine(name=p.name, value=p.total, written=words.count(p.total), meant=p.meant, note=_note(p, words))
        for p in shown
    ]
    told = tuple(
        words.texts.say("distribution.tried.of", name=p.name, got=str(p.total), meant=words.decimal(p.meant))
        for p in shown
    )
    return lines(items, words.texts.say("distribution.even.label", people=told))


def _note(one: PersonMeasured, words: Words) -> str:
    if one.beside:
        return words.texts.say("distribution.even.beside", n=one.beside)
    if one.could is not None and one.could < 0.9:
        return words.texts.say("distribution.even.could", part=words.percent(one.could))
    return ""


def _days_drawn(totals: Sequence[tuple[date, int]], words: Words) -> Markup:
    is_wide = len(totals) <= 10
    columns = [
        Column(
            below=f"{day:%d.%m}" if is_wide or at % 5 == 0 else "",
            parts=[(n, "info")],
            above=str(n) if n and is_wide else "",
        )
        for at, (day, n) in enumerate(totals)
    ]
    told = tuple(f"{words.day(day)}: {n}" for day, n in totals)
    return bars(columns, words.texts.say("distribution.even.days_label", days=told))
