"""Checks of a matrix against what the account really has, before it is published and daily afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from routing.conditions import Condition, is_narrower
from routing.matrix.catalogue import (
    Catalogue,
    CatalogueField,
    CataloguePipeline,
    CatalogueStage,
    CatalogueUser,
)
from routing.matrix.checks.actions import check_action, check_cell, check_place
from routing.matrix.checks.problems import Problem, problem
from routing.matrix.model import CELLS, Matrix, MatrixTable
from routing.matrix.texts import cell_phrase
from routing.staff import Staff

__all__ = [
    "Catalogue",
    "CatalogueField",
    "CataloguePipeline",
    "CatalogueStage",
    "CatalogueUser",
    "Problem",
    "can_be_published",
    "check",
]


def check(matrix: Matrix, catalogue: Catalogue) -> list[Problem]:
    """Everything that is wrong, errors first, each with the cell and what to do."""
    found = list(_all(matrix, catalogue))
    return [p for p in found if p.severity == "error"] + [p for p in found if p.severity == "warning"]


def can_be_published(problems: Sequence[Problem]) -> bool:
    return not any(p.severity == "error" for p in problems)


def _all(matrix: Matrix, catalogue: Catalogue) -> Iterator[Problem]:
    if not catalogue.is_loaded:
        yield problem("catalogue-not-loaded", "catalogue")
    yield from _selection(matrix)
    for table_id, table in matrix.tables.items():
        yield from _table(table_id, table, catalogue)
    yield from _conditions(matrix, catalogue)
    for number, rule in enumerate(matrix.pipeline_rules, start=1):
        yield from check_place(
            f"pipeline_rules#{number}", rule.pipeline_id, rule.stage_id, catalogue, is_new=True
        )
    yield from _shadowed("pipeline_rules", [r.when for r in matrix.pipeline_rules])
    yield from check_place(
        "default_pipeline", matrix.default_pipeline_id, matrix.default_stage_id, catalogue, is_new=True
    )
    yield from _parameters(matrix, catalogue)
    yield from _people(catalogue.staff)


def _selection(matrix: Matrix) -> Iterator[Problem]:
    if matrix.default not in matrix.tables:
        yield problem("matrix-missing", "default", name=matrix.default)
    for number, rule in enumerate(matrix.selection, start=1):
        if rule.matrix not in matrix.tables:
            yield problem("matrix-missing", f"selection#{number}", name=rule.matrix)
    used = {matrix.default, *(r.matrix for r in matrix.selection)}
    for table_id, table in matrix.tables.items():
        if table_id not in used:
            yield problem("matrix-never-used", table_id, name=table.name)
    yield from _shadowed("selection", [r.when for r in matrix.selection])


def _shadowed(where: str, rules: Sequence[tuple[Condition, ...]]) -> Iterator[Problem]:
    for number, rule in enumerate(rules):
        earlier = next((n for n in range(number) if is_narrower(rule, rules[n])), None)
        if earlier is not None:
            yield problem("rule-never-applies", f"{where}#{number + 1}", earlier=earlier + 1)
    always = next((n for n, rule in enumerate(rules, start=1) if not rule), None)
    if always is not None:
        yield problem("default-unreachable", f"{where}#{always}", earlier=always)


def _table(table_id: str, table: MatrixTable, catalogue: Catalogue) -> Iterator[Problem]:
    for cell in CELLS:
        where = f"{table_id}/{cell}"
        actions = table.cells.get(cell)
        if actions is None:
            yield problem("cell-missing", where, words=cell_phrase(cell))
            continue
        yield from check_cell(where, cell, actions)
        for number, action in enumerate(actions, start=1):
            yield from check_action(f"{where}#{number}", action, catalogue)


def _conditions(matrix: Matrix, catalogue: Catalogue) -> Iterator[Problem]:
    """Lines and connections that rules speak of exist."""
    whens = [(f"selection#{n}", r.when) for n, r in enumerate(matrix.selection, start=1)]
    whens += [(f"pipeline_rules#{n}", r.when) for n, r in enumerate(matrix.pipeline_rules, start=1)]
    for where, conditions in whens:
        for condition in conditions:
            yield from _condition(where, condition, catalogue)


def _condition(where: str, condition: Condition, catalogue: Catalogue) -> Iterator[Problem]:
    known = {
        "line": ("line-unknown", catalogue.lines),
        "did": ("line-unknown", catalogue.lines),
        "connection": ("connection-unknown", catalogue.connections),
    }.get(condition.parameter.lower())
    if not known or condition.test == "contains":
        return
    code, names = known
    have = {n.lower() for n in names}
    for value in condition.values:
        if have and value.strip().lower() not in have:
            yield problem(code, where, name=value)


def _parameters(matrix: Matrix, catalogue: Catalogue) -> Iterator[Problem]:
    for number, mapping in enumerate(matrix.parameters, start=1):
        if not catalogue.has_field(mapping.entity, mapping.field):
            yield problem("field-unknown", f"parameters#{number}", name=mapping.field, entity=mapping.entity)
    times = Counter((m.entity, m.field) for m in matrix.parameters)
    for number, mapping in enumerate(matrix.parameters, start=1):
        if times.pop((mapping.entity, mapping.field), 0) > 1:
            yield problem("field-mapped-twice", f"parameters#{number}", name=mapping.field)


def _people(staff: Staff) -> Iterator[Problem]:
    for person in staff.employees:
        if not person.crm_user_id:
            yield problem("employee-unmapped", f"staff/{person.id}", name=person.name)
        elif not person.is_active:
            yield problem("employee-inactive", f"staff/{person.id}", name=person.name)
