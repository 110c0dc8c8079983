"""Lists of numbers as people have them: a line each, or a table as spreadsheets save it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway.texts.sentences import TEXTS


class ListedLine(NamedTuple):
    """line: from 1. number: as it stands there."""

    line: int
    number: str
    note: str


def read_number_list(text: str) -> Iterator[ListedLine]:
    """Yield the lines that say something. A first line without digits is the heading, which may name the columns of number and
    note; else they are the first and the second. Columns are parted by tabs, semicolons or commas."""
    columns: tuple[int, int] = (0, 1)
    is_first = True
    for line, said in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not said.strip():
            continue
        cells = _cells(said)
        if is_first and not any(letter.isdigit() for letter in said):
            columns, is_first = _columns(cells), False
            continue
        is_first = False
        yield ListedLine(line, _cell(cells, columns[0]), _cell(cells, columns[1]))


def _cells(said: str) -> list[str]:
    parted_by = next((mark for mark in "\t;," if mark in said), ",")
    return next(csv.reader([said], delimiter=parted_by), [])


def _columns(heading: Sequence[str]) -> tuple[int, int]:
    named = [cell.strip().casefold() for cell in heading]
    number = next((n for n, name in enumerate(named) if name in _headings("number")), 0)
    return number, next((n for n, name in enumerate(named) if name in _headings("note")), number + 1)


def _headings(column: str) -> frozenset[str]:
    return frozenset(word for texts in TEXTS.values() for word in texts.say(f"list.heading.{column}").split())


def _cell(cells: Sequence[str], n: int) -> str:
    return cells[n].strip() if n < len(cells) else ""
