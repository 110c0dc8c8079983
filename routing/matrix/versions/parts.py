"""A matrix as its parts: what can be changed by itself, by where it stands. Two matrices differ part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from routing.matrix.model import Matrix, MatrixTable

WHOLE: Final = "table"
SETTINGS: Final = "settings"
DEFAULT_TABLE: Final = "default_table"
DEFAULT_PLACE: Final = "default_pipeline"
LISTS: Final = ("selection", "pipeline_rules", "parameters")


class MatrixPart(NamedTuple):
    """Where something stands. table: "" = in no table. name: a cell, "settings" of a table (its name and whether it waits),
    "table" for one that is added or removed as a whole; else a list or setting of the matrix."""

    table: str
    name: str

    @property
    def where(self) -> str:
        """As the differences in words name it."""
        return f"{self.table}/{self.name}" if self.table else self.name


class TableSettings(NamedTuple):
    """What a table has besides its cells."""

    name: str
    waits_for_entities: bool


class PartChange(NamedTuple):
    """before, after: actions of a cell, rules of a list, …; None = it is not there."""

    part: MatrixPart
    before: Any
    after: Any

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


Parts = Mapping[MatrixPart, Any]


def changed_parts(old: Matrix, new: Matrix) -> tuple[PartChange, ...]:
    """Return what differs, in the order in which a matrix is read; the version's number does not count."""
    inside = frozenset(old.tables) & frozenset(new.tables)
    before, after = parts_of(old, inside), parts_of(new, inside)
    return tuple(
        PartChange(part, before.get(part), after.get(part))
        for part in {**before, **after}
        if before.get(part) != after.get(part)
    )


def parts_of(matrix: Matrix, inside: frozenset[str]) -> Parts:
    """Return everything by where it stands. inside: tables that are taken apart; the others are one part each."""
    parts: dict[MatrixPart, Any] = {MatrixPart("", DEFAULT_TABLE): matrix.default}
    for table_id, table in sorted(matrix.tables.items()):
        if table_id in inside:
            settings = TableSettings(table.name, table.waits_for_entities)
            parts[MatrixPart(table_id, SETTINGS)] = settings
            parts |= {MatrixPart(table_id, cell): actions for cell, actions in table.cells.items()}
        else:
            parts[MatrixPart(table_id, WHOLE)] = table
    parts |= {MatrixPart("", name): getattr(matrix, name) for name in LISTS}
    parts[MatrixPart("", DEFAULT_PLACE)] = (matrix.default_pipeline_id, matrix.default_stage_id)
    return parts


def matrix_of(parts: Parts) -> Matrix:
    """Return the matrix of these parts: undo `parts_of`. A part that is None is not there."""
    tables = {part.table: value for part, value in parts.items() if part.name == WHOLE and value is not None}
    for part, value in parts.items():
        if part.name == SETTINGS:
            tables[part.table] = MatrixTable(cells=_cells(parts, part.table), **value._asdict())
    pipeline_id, stage_id = parts[MatrixPart("", DEFAULT_PLACE)]
    return Matrix(
        tables=tables,
        default=parts[MatrixPart("", DEFAULT_TABLE)],
        default_pipeline_id=pipeline_id,
        default_stage_id=stage_id,
        **{name: parts[MatrixPart("", name)] for name in LISTS},
    )


def with_part(matrix: Matrix, part: MatrixPart, value: Any) -> Matrix:
    """Return the matrix with another value of one part. Raise KeyError for a part of a table that is not there."""
    parts = dict(parts_of(matrix, frozenset(matrix.tables)))
    if part.table and part.table not in matrix.tables:
        raise KeyError(part.table)
    return matrix_of({**parts, part: value}).model_copy(update={"version": matrix.version})


def _cells(parts: Parts, table_id: str) -> Mapping[str, Any]:
    return {
        part.name: actions
        for part, actions in parts.items()
        if part.table == table_id and part.name not in (WHOLE, SETTINGS) and actions is not None
    }
