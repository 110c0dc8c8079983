"""How deals would be shared, as a simulation counted it: bars, a table of the same, and sentences that say why it is uneven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from gateway.web.charts.bars import BarLine, lines
from gateway.web.words.words import Words
from routing.staff import Staff

_NOTABLE = 0.75
_MOST_BARS, _MOST_REASONS, _FIRST = 30, 3, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTried:
    """got: kept among them. difference: got and meant, without what was kept."""

    employee: str
    name: str
    user: str
    meant: float
    got: int
    kept: int
    note: str


class TriedDeal(NamedTuple):
    """number: its place in the list. who "": nobody."""

    number: int
    deal: str
    at: str
    who: str
    user: str
    reason: str
    is_walked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedShares:
    """of: which deals, as the simulation names them. nobody: how many nobody would have got; nobody_why: the reasons of these, in words. why: sentences."""

    items: int
    of: str
    people: Sequence[PersonTried]
    nobody: int
    nobody_why: Sequence[str]
    why: Sequence[str]
    deals: Sequence[TriedDeal]
    drawing: Markup
    table: Sequence[tuple[str, ...]]

    @property
    def first(self) -> Sequence[TriedDeal]:
        return self.deals[:_FIRST]


def tried_shares(result: Mapping[str, Any], staff: Staff, words: Words) -> TriedShares:
    people = [_person(row, staff, words) for row in result["people"]]
    people = sorted((p for p in people if p.got or p.meant or p.note), key=lambda p: (-p.meant, p.name))
    outcomes = result["outcomes"]
    nobody = sum(n for outcome, n in outcomes.items() if outcome in ("waits", "nobody"))
    reasons = [
        why for why in result["reasons"] if why.startswith(("waits_", "nobody_", "outside_", "quiet_"))
    ]
    return TriedShares(
        items=result["items"],
        of=result.get("of", "own"),
        people=people,
        nobody=nobody,
        nobody_why=[words.texts.word("distribution.reason", why) for why in reasons] if nobody else [],
        why=_why(result, people, words),
        deals=[_deal(number, row, staff, words) for number, row in enumerate(result["list"])],
        drawing=_drawn(people, nobody, words),
        table=[(p.name, words.count(p.got), words.decimal(p.meant), words.count(p.kept)) for p in people],
    )


def _person(row: Mapping[str, Any], staff: Staff, words: Words) -> PersonTried:
    known = staff.by_id.get(row["employee"])
    got = row["given"] + row["kept"]
    return PersonTried(
        employee=row["employee"],
        name=row["name"],
        user=(known.crm_user_id if known else None) or "0",
        meant=row["meant"],
        got=got,
        kept=row["kept"],
        note=_note(row, got, words),
    )


def _note(row: Mapping[str, Any], got: int, words: Words) -> str:
    """Say by what the person is off their share, where they are; who was left out all the time stands there all the same."""
    say = words.texts.say
    off = got - row["meant"]
    if row["kept"] and off > _NOTABLE:
        return say("distribution.tried.kept", n=row["kept"])
    if row["left_out"] and (off < -_NOTABLE or not got):
        why, times = max(row["left_out"].items(), key=lambda item: item[1])
        return say("distribution.tried.left_out", n=times, why=words.texts.word("distribution.step", why))
    return ""


def _why(result: Mapping[str, Any], people: Sequence[PersonTried], words: Words) -> list[str]:
    """Say why people are off their shares: what went past the turn, and who could not get theirs most often."""
    say, found = words.texts.say, []
    if kept := result["outcomes"].get("kept", 0):
        found.append(say("distribution.tried.went_past", n=kept))
    times = [
        (n, row["name"], why)
        for row in result["people"]
        for why, n in row["left_out"].items()
        if why != "lower_priority"
    ]
    for n, name, why in sorted(times, reverse=True)[:_MOST_REASONS]:
        reason = words.texts.word("distribution.step", why)
        found.append(say("distribution.tried.could_not", name=name, n=n, why=reason))
    if found or not people:
        return found
    most = max(abs(p.got - p.meant) for p in people)
    return [say("distribution.tried.even" if most <= 1 else "distribution.tried.by_turns")]


def _deal(number: int, row: Mapping[str, Any], staff: Staff, words: Words) -> TriedDeal:
    person = staff.by_id.get(row["employee"] or "")
    return TriedDeal(
        number=number,
        deal=row["deal"],
        at=row["at"],
        who=person.name if person else row["employee"] or "",
        user=(person.crm_user_id if person else None) or "0",
        reason=words.texts.word("distribution.reason", row["reason"]),
        is_walked=bool(row.get("steps")),
    )


def _drawn(people: Sequence[PersonTried], nobody: int, words: Words) -> Markup:
    say = words.texts.say
    items = [
        BarLine(name=p.name, value=p.got, written=words.count(p.got), meant=p.meant, note=p.note)
        for p in people[:_MOST_BARS]
    ]
    if nobody:
        items.append(
            BarLine(name=say("distribution.tried.nobody"), value=nobody, written=str(nobody), fill="warn")
        )
    label = say(
        "distribution.tried.label",
        people=tuple(
            say("distribution.tried.of", name=p.name, got=str(p.got), meant=words.decimal(p.meant))
            for p in people[:_MOST_BARS]
        ),
    )
    return lines(items, label)
