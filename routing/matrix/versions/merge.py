"""Two drafts that were begun from one become one: what only one of them touched is taken over, what both touched differently
is for a person. Nothing is merged inside a cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from routing.matrix.model import Matrix
from routing.matrix.versions.parts import MatrixPart, PartChange, matrix_of, parts_of

Side = Literal["mine", "theirs"]
NO_CHOICES: Mapping[str, Side] = {}


class Conflict(NamedTuple):
    """What both changed, each otherwise. base: as it was before. None = it is not there."""

    part: MatrixPart
    base: Any
    mine: Any
    theirs: Any


class Merged(NamedTuple):
    """mine, theirs: what only that side changed, or both alike (it is mine then). conflicts: all, chosen or not.

    matrix: of a conflict that nobody chose a side of, it holds theirs, which is what is saved already. open: those.
    """

    matrix: Matrix
    mine: tuple[PartChange, ...]
    theirs: tuple[PartChange, ...]
    conflicts: tuple[Conflict, ...]
    open: tuple[MatrixPart, ...]


def merge(base: Matrix, mine: Matrix, theirs: Matrix, choices: Mapping[str, Side] = NO_CHOICES) -> Merged:
    """Return mine and theirs as one. choices: by `where` of a conflict's part, the side that a person took."""
    inside = frozenset(base.tables) & frozenset(mine.tables) & frozenset(theirs.tables)
    before, own, others = (parts_of(matrix, inside) for matrix in (base, mine, theirs))
    taken: dict[MatrixPart, Any] = {}
    from_mine, from_theirs, conflicts, still_open = [], [], [], []
    for part in {**others, **own, **before}:
        was, one, other = before.get(part), own.get(part), others.get(part)
        taken[part] = other if one == was else one
        if one != was and other not in (was, one):
            conflicts.append(Conflict(part, was, one, other))
            taken[part] = one if choices.get(part.where) == "mine" else other
            if part.where not in choices:
                still_open.append(part)
        elif one != was:
            from_mine.append(PartChange(part, was, one))
        elif other != was:
            from_theirs.append(PartChange(part, was, other))
    merged = matrix_of(taken).model_copy(update={"version": theirs.version})
    return Merged(merged, tuple(from_mine), tuple(from_theirs), tuple(conflicts), tuple(still_open))
