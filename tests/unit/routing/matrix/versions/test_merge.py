"""Two drafts begun from one: nothing that anybody wrote is lost, and nothing is decided for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.matrix.actions import Action, Attach, MakeContact, MakeTask
from routing.matrix.model import CELLS, Matrix, MatrixTable, ParameterField
from routing.matrix.presets import recommended
from routing.matrix.versions.merge import merge
from routing.matrix.versions.parts import MatrixPart, changed_parts, matrix_of, parts_of

MISSED, ANSWERED, OUT = "inbound.missed.new/end", "inbound.answered.known_with_deal/end", CELLS[-1]
CHOICES: Sequence[tuple[Action, ...]] = ((), (Attach(),), (MakeContact(), Attach()))


def a_matrix(cells: Mapping[str, tuple[Action, ...] | None] | None = None, **changes: Any) -> Matrix:
    """The recommended one with these cells; None = the cell is not there."""
    table = recommended().tables["default"]
    held = {**table.cells, **(cells or {})}
    table = table.model_copy(update={"cells": {c: a for c, a in held.items() if a is not None}})
    return recommended().model_copy(update={"tables": {"default": table}, **changes})


def of(cell: str) -> MatrixPart:
    return MatrixPart("default", cell)


BASE = a_matrix()


def test_cells_that_only_one_side_touched_are_taken_from_that_side() -> None:
    mine, theirs = a_matrix({MISSED: ()}), a_matrix({ANSWERED: ()})
    merged = merge(BASE, mine, theirs)
    assert merged.conflicts == ()
    assert (
        merged.matrix.tables["default"].cells == a_matrix({MISSED: (), ANSWERED: ()}).tables["default"].cells
    )
    assert [c.part for c in merged.mine] == [of(MISSED)]
    assert [c.part for c in merged.theirs] == [of(ANSWERED)]


def test_a_cell_that_both_changed_is_asked_about_and_stays_as_it_is_saved() -> None:
    mine, theirs = a_matrix({MISSED: ()}), a_matrix({MISSED: CHOICES[1]})
    merged = merge(BASE, mine, theirs)
    (conflict,) = merged.conflicts
    assert (conflict.part, conflict.mine, conflict.theirs) == (of(MISSED), (), CHOICES[1])
    assert conflict.base == BASE.tables["default"].cells[MISSED]
    assert merged.open == (of(MISSED),)
    assert merged.matrix == theirs


def test_the_side_that_a_person_took_is_taken() -> None:
    mine, theirs = a_matrix({MISSED: ()}), a_matrix({MISSED: CHOICES[1]})
    taken = merge(BASE, mine, theirs, {of(MISSED).where: "mine"})
    assert (taken.matrix, taken.open) == (mine, ())
    assert merge(BASE, mine, theirs, {of(MISSED).where: "theirs"}).matrix == theirs


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    both = a_matrix({MISSED: ()})
    assert merge(BASE, both, both).conflicts == ()


def test_a_table_that_one_side_removed_and_the_other_edited_is_asked_about_as_a_whole() -> None:
    second = MatrixTable(name="Ночь", cells={MISSED: CHOICES[1]})
    base = BASE.model_copy(update={"tables": {**BASE.tables, "night": second}})
    edited = second.model_copy(update={"cells": {MISSED: ()}})
    theirs = BASE.model_copy(update={"tables": {**BASE.tables, "night": edited}})
    merged = merge(base, BASE, theirs)
    assert [(c.part.where, c.mine) for c in merged.conflicts] == [("night/table", None)]
    assert merge(base, BASE, theirs, {"night/table": "mine"}).matrix == BASE


def test_lists_and_settings_are_parts_of_their_own() -> None:
    field = ParameterField(parameter="roistat", field="601")
    mine = a_matrix(parameters=(field,))
    theirs = a_matrix(default_pipeline_id="7")
    merged = merge(BASE, mine, theirs).matrix
    assert (merged.parameters, merged.default_pipeline_id) == ((field,), "7")


def test_a_difference_says_of_each_part_what_was_and_what_is() -> None:
    other = a_matrix({MISSED: (), ANSWERED: None}, parameters=(ParameterField(parameter="a", field="1"),))
    told = {c.part.where: (c.kind, c.after) for c in changed_parts(BASE, other)}
    assert told == {
        f"default/{MISSED}": ("changed", ()),
        f"default/{ANSWERED}": ("removed", None),
        "parameters": ("changed", other.parameters),
    }


_edits = st.dictionaries(
    st.sampled_from([MISSED, ANSWERED, OUT, *CELLS[:3]]),
    st.sampled_from([*CHOICES, (MakeTask(text="x"),), None]),
)


@given(_edits, _edits, _edits)
@settings(max_examples=60, deadline=None)
def test_whoever_saves_first_the_outcome_is_the_same_and_no_change_is_lost(
    before: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    base, mine, theirs = a_matrix(before), a_matrix({**before, **one}), a_matrix({**before, **other})
    merged, mirrored = merge(base, mine, theirs), merge(base, theirs, mine)
    assert {c.part for c in merged.conflicts} == {c.part for c in mirrored.conflicts}
    all_mine = {part.where: "mine" for part in merged.open}
    all_theirs = {part.where: "theirs" for part in merged.open}
    assert merge(base, mine, theirs, all_mine).matrix == merge(base, theirs, mine, all_theirs).matrix  # type: ignore[arg-type]
    told = {c.part for c in (*merged.mine, *merged.theirs)} | {c.part for c in merged.conflicts}
    assert told == {c.part for c in (*changed_parts(base, mine), *changed_parts(base, theirs))}
    assert merge(base, mine, base).matrix == mine
    assert merge(base, base, theirs).matrix == theirs


@given(_edits)
@settings(max_examples=30, deadline=None)
def test_a_matrix_is_put_together_again_from_its_parts(cells: dict[str, Any]) -> None:
    matrix = a_matrix(cells)
    for inside in (frozenset(matrix.tables), frozenset[str]()):
        assert matrix_of(parts_of(matrix, inside)) == matrix.model_copy(update={"version": 0})
