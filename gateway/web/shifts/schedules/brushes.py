"""What a schedule is painted with: its named shifts, the hours that stand in it unnamed, and how hours are written and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from routing.schedules.calendar import DayHours
from routing.schedules.checks import hours_refused
from routing.schedules.clock import MINUTES_OF_A_DAY, hours_in_minutes
from routing.schedules.model import NamedShift, ShiftColour
from routing.schedules.plans import Minutes
from routing.schedules.written import hours_in_words, hours_written
from routing.texts.catalogue import Texts

COLOURS: tuple[ShiftColour, ...] = ("green", "blue", "violet", "teal", "rose")
MOST_UNNAMED = 8
_USUAL = (
    (("09:00", "18:00"),),
    (("13:00", "22:00"),),
    (("21:00", "09:00"),),
    (("09:00", "15:00"),),
)
"""To begin with, where there is little yet."""
_HALF_DAY = 6 * 60
_COLOUR_OF: Mapping[str, ShiftColour] = {
    "day": "green",
    "evening": "blue",
    "night": "violet",
    "half": "teal",
    "whole": "rose",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Brush:
    """hours: as they are sent, e.g. "09:00-13:00,14:00-18:00". is_named: it has its name from a person. colour "": of hours so
    rare that they have no brush of their own."""

    letter: str
    name: str
    colour: ShiftColour | str
    hours: str
    minutes: int
    is_named: bool = False

    @property
    def shown(self) -> str:
        """Return the hours as they are read."""
        return self.hours.replace("-", "–").replace(",", ", ")


@lru_cache(maxsize=4096)
def written(minutes: Minutes) -> str:
    """Write planned hours as they are sent: "21:00-09:00"."""
    return ",".join(f"{_clock(begins)}-{_clock(ends, is_end=True)}" for begins, ends in minutes)


def _clock(minutes: int, *, is_end: bool = False) -> str:
    if is_end and minutes == MINUTES_OF_A_DAY:
        return "24:00"
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def read(text: str) -> DayHours:
    """Return hours as a schedule keeps them. Raise ValueError for what are none."""
    hours = tuple((opens, closes) for opens, closes in hours_written(text))
    if hours_refused(hours):
        raise ValueError(f"'{hours_in_words(hours)}' are no hours")
    return hours


@lru_cache(maxsize=4096)
def length(minutes: Minutes) -> int:
    return sum(ends - begins for begins, ends in minutes)


def brushes_of(named: Sequence[NamedShift], used: Iterable[Minutes], texts: Texts) -> list[Brush]:
    """Return the named ones first, then the usual ones, then those for other hours that are used, the earliest first: a key means
    the same after a day was painted; the last, rare ones are without a colour. used: each as often as it stands there."""
    found = [_of_named(shift) for shift in named]
    known = {brush.hours for brush in found}
    counted: dict[Minutes, int] = {}
    for minutes in used:
        counted[minutes] = counted.get(minutes, 0) + 1
    missing = [m for m in sorted(counted, key=lambda m: (-counted[m], m)) if written(m) not in known]
    usual = [hours_in_minutes(hours) for hours in _USUAL]
    others = [m for m in usual if written(m) not in known and m not in counted]
    missing += others[: max(len(_USUAL) - len(found) - len(missing), 0)]
    place = {minutes: number for number, minutes in enumerate(usual)}
    common = sorted(missing[:MOST_UNNAMED], key=lambda m: (place.get(m, len(place)), m))
    missing = [*common, *missing[MOST_UNNAMED:]]
    letters = {brush.letter for brush in found}
    for number, minutes in enumerate(missing):
        brush = _of_hours(minutes, letters, texts, is_rare=number >= MOST_UNNAMED)
        letters.add(brush.letter)
        found.append(brush)
    return found


def _of_named(shift: NamedShift) -> Brush:
    minutes = hours_in_minutes(shift.hours)
    return Brush(
        letter=shift.letter,
        name=shift.name,
        colour=shift.colour,
        hours=written(minutes),
        minutes=length(minutes),
        is_named=True,
    )


def _of_hours(minutes: Minutes, letters: set[str], texts: Texts, *, is_rare: bool) -> Brush:
    kind = _kind(minutes)
    letter = texts.say(f"shifts.brush.{kind}.letter")
    free = (name for name in (letter, *(f"{letter}{n}" for n in range(2, 10))) if name not in letters)
    return Brush(
        letter="·" if is_rare else next(free, "·"),
        name=texts.say("shifts.brush.own") if is_rare else texts.say(f"shifts.brush.{kind}"),
        colour="" if is_rare else _COLOUR_OF[kind],
        hours=written(minutes),
        minutes=length(minutes),
    )


def _kind(minutes: Minutes) -> str:
    begins, whole = minutes[0][0] // 60, length(minutes)
    if whole >= MINUTES_OF_A_DAY:
        return "whole"
    if whole <= _HALF_DAY:
        return "half"
    if 5 <= begins < 12:
        return "day"
    return "evening" if 12 <= begins < 18 else "night"
