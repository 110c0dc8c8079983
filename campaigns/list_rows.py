"""What a row of a list says: whom to call, or what is wrong with it. One bad row keeps no other out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from campaigns.reasons import RowFault
from routing.numbers.normalise import InternalNumber, PublicNumber, normalise
from routing.settings import NumberPolicy

ListColumn = Literal["number", "name", "client_id"]
LONGEST_CELL = 500
_MOST_COLUMNS = 30


class ColumnUnknown(ValueError):
    """The list has no column of this name or place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape:
    """Where things stand, from 0. headings: of all columns, empty where the list has none. begins: the first row of data, from 1."""

    number: int
    name: int | None = None
    client_id: int | None = None
    headings: tuple[str, ...] = ()

    @property
    def begins(self) -> int:
        return 2 if self.headings else 1


class ListedClient(NamedTuple):
    number: str
    name: str
    client_id: str
    data: Mapping[str, str]


class RowRefused(NamedTuple):
    """row: from 1, the heading counted. said: what stands where the number should."""

    row: int
    fault: RowFault
    said: str


@dataclass
class RowJudge:
    """Judges rows one after the other; remembers the numbers it took."""

    shape: ListShape
    policy: NumberPolicy
    seen: set[str] = field(default_factory=set)

    def judged(self, row: int, cells: Sequence[str]) -> ListedClient | RowRefused | None:
        """Return whom it means, or what is wrong; None: the row is empty."""
        if not any(cells):
            return None
        said = _at(cells, self.shape.number)
        fault = self._fault(cells, said)
        if fault is not None:
            return RowRefused(row, fault, said[:60])
        number = normalise(said, self.policy)
        assert isinstance(number, PublicNumber)
        self.seen.add(number.e164)
        known = {self.shape.number, self.shape.name, self.shape.client_id}
        data = {
            name: _at(cells, n)
            for n, name in enumerate(self.shape.headings[:_MOST_COLUMNS])
            if n not in known and name and _at(cells, n)
        }
        return ListedClient(number.e164, _at(cells, self.shape.name), _at(cells, self.shape.client_id), data)

    def _fault(self, cells: Sequence[str], said: str) -> RowFault | None:
        if not said:
            return "no_number"
        if any(len(cell) > LONGEST_CELL for cell in cells):
            return "too_long"
        number = normalise(said, self.policy)
        if isinstance(number, InternalNumber):
            return "internal_number"
        if not isinstance(number, PublicNumber):
            return "bad_number"
        if number.is_own:
            return "own_number"
        return "twice_in_list" if number.e164 in self.seen else None


def shape_of(
    first: Sequence[str],
    policy: NumberPolicy,
    chosen: Mapping[ListColumn, str],
    words: Mapping[ListColumn, Collection[str]],
) -> ListShape:
    """Read the first row. chosen: columns by their heading, or by their place from 1. words: by which headings columns are
    known that were not chosen. Raises ColumnUnknown."""
    is_heading = not any(isinstance(normalise(cell, policy), PublicNumber) for cell in first if cell)
    headings = tuple(first) if is_heading else ()
    found: dict[str, int] = {}
    for column in ("number", "name", "client_id"):
        if column in chosen:
            found[column] = _place(chosen[column], headings, len(first))
        elif (place := _known(headings, words[column])) is not None:
            found[column] = place
    if "number" not in found:
        found["number"] = 0 if is_heading else _first_number(first, policy)
    return ListShape(headings=headings, **found)


def _place(said: str, headings: Sequence[str], width: int) -> int:
    named = [heading.casefold() for heading in headings]
    if said.casefold() in named:
        return named.index(said.casefold())
    if said.isascii() and said.isdigit() and len(said) < 4 and 1 <= int(said) <= width:
        return int(said) - 1
    raise ColumnUnknown(said)


def _known(headings: Sequence[str], words: Collection[str]) -> int | None:
    return next((n for n, heading in enumerate(headings) if heading.casefold() in words), None)


def _first_number(cells: Sequence[str], policy: NumberPolicy) -> int:
    return next(n for n, cell in enumerate(cells) if isinstance(normalise(cell, policy), PublicNumber))


def _at(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""
