"""The matrix as its page shows it: client by client, one line for each outcome, one cell over all of them while the phone rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.web.matrix.lines import ActionLine, lines_of
from routing.client import ClientKind
from routing.matrix.catalogue import Catalogue
from routing.matrix.checks.check import Problem
from routing.matrix.model import CELLS, CallOutcome, Matrix, Moment, row_of
from routing.texts.catalogue import Texts

TableDirection = Literal["inbound", "outbound"]
CLIENT_KINDS = (ClientKind.NEW, ClientKind.KNOWN_WITH_DEAL, ClientKind.KNOWN_WITHOUT_DEAL)
OUTCOMES = (CallOutcome.ANSWERED, CallOutcome.ANSWERED_BY_UNKNOWN, CallOutcome.MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """lines: None = the cell is missing. errors, warnings: how many."""

    id: str
    where: str
    lines: Sequence[ActionLine] | None
    is_changed: bool = False
    is_open: bool = False
    errors: int = 0
    warnings: int = 0

    @property
    def dom_id(self) -> str:
        return dom_id_of(self.id)


@dataclass(frozen=True, slots=True)
class RowView:
    """ring: in the first row of a client only, over all of them. answer None: that moment cannot be."""

    outcome: CallOutcome
    ring: CellView | None
    answer: CellView | None
    end: CellView


@dataclass(frozen=True, slots=True)
class GroupView:
    kind: ClientKind
    rows: Sequence[RowView]

    @property
    def cells(self) -> list[tuple[CallOutcome, Moment, CellView]]:
        """As a list, for narrow screens."""
        found = [(CallOutcome.RINGING, Moment.RING, row.ring) for row in self.rows if row.ring]
        for row in self.rows:
            found += [(row.outcome, Moment.ANSWER, row.answer)] if row.answer else []
            found.append((row.outcome, Moment.END, row.end))
        return found


def dom_id_of(cell: str) -> str:
    """Of a cell or a part of it, as an id in the page."""
    return "cell-" + cell.replace(".", "-").replace("/", "-")


class TableShown:
    """One table of the draft. published: the version that it is compared with. open_cell: "" = none."""

    def __init__(
        self,
        draft: Matrix,
        published: Matrix,
        table: str,
        problems: Sequence[Problem],
        texts: Texts,
        catalogue: Catalogue,
        *,
        open_cell: str = "",
    ) -> None:
        self._table, self._texts, self._catalogue, self._open = table, texts, catalogue, open_cell
        self._cells = draft.tables[table].cells if table in draft.tables else {}
        self._published = published.tables[table].cells if table in published.tables else {}
        self._problems = problems_by_cell(problems, table)

    def groups(self, direction: TableDirection) -> list[GroupView]:
        return [GroupView(kind, self._rows(direction, kind)) for kind in CLIENT_KINDS]

    def _rows(self, direction: TableDirection, kind: ClientKind) -> list[RowView]:
        rows = []
        for outcome in OUTCOMES:
            row = row_of(direction, outcome, kind)
            answer = f"{row}/{Moment.ANSWER.value}"
            ringing = f"{row_of(direction, CallOutcome.RINGING, kind)}/{Moment.RING.value}"
            rows.append(
                RowView(
                    outcome,
                    self.cell(ringing) if outcome is OUTCOMES[0] else None,
                    self.cell(answer) if answer in CELLS else None,
                    self.cell(f"{row}/{Moment.END.value}"),
                )
            )
        return rows

    def cell(self, id: str) -> CellView:
        actions, found = self._cells.get(id), self._problems.get(id, ())
        bad = frozenset(number_of(p) for p in found if p.severity == "error")
        lines = None if actions is None else lines_of(actions, self._texts, self._catalogue, bad)
        errors = sum(p.severity == "error" for p in found)
        return CellView(
            id=id,
            where=f"{self._table}/{id}",
            lines=lines,
            is_changed=actions != self._published.get(id),
            is_open=id == self._open,
            errors=errors,
            warnings=len(found) - errors,
        )


def problems_by_cell(problems: Sequence[Problem], table: str) -> Mapping[str, Sequence[Problem]]:
    """Return what was found in the cells of this table, by cell."""
    found: dict[str, list[Problem]] = {}
    for one in problems:
        cell = one.cell.removeprefix(f"{table}/").partition("#")[0]
        if one.cell.startswith(f"{table}/") and cell in CELLS:
            found.setdefault(cell, []).append(one)
    return found


def number_of(found: Problem) -> int:
    """Return the number of the action that it is about; 0 = of the cell as a whole."""
    number = found.cell.rpartition("#")[2] if "#" in found.cell else ""
    return int(number) if number.isdecimal() else 0


def cell_of(found: Problem) -> tuple[str, str] | None:
    """(table, cell) that a problem is in; None where it is in none."""
    where = found.cell.partition("#")[0]
    for cell in CELLS:
        if where.endswith(f"/{cell}"):
            return where.removesuffix(f"/{cell}"), cell
    return None
