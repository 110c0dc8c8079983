"""The table of the matrix, with one of its cells open beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.web.frame import PageCall, PageQuery, Shown, page_not_found
from gateway.web.matrix.fields import ActionFields, FieldView, why_not_here
from gateway.web.matrix.lines import ICONS, ActionLine, line_of
from gateway.web.matrix.seen import SeenDraft, see_draft
from gateway.web.matrix.table import (
    TableDirection,
    TableShown,
    cell_of,
    dom_id_of,
    number_of,
    problems_by_cell,
)
from gateway.web.matrix.trying import RESULT_OF, SAMPLE_NUMBER, tried_call
from routing.matrix.catalogue import Catalogue
from routing.matrix.checks.check import Problem
from routing.matrix.model import CELLS
from routing.matrix.texts import ACTIONS
from routing.matrix.variables import VARIABLES
from routing.matrix.versions.trial import Trial
from routing.texts.catalogue import Texts


class MatrixQuery(PageQuery):
    """cell: that is open; open: its action, from 0. undo: the revision before an action was removed."""

    direction: TableDirection | None = None
    table: str = ""
    cell: str = ""
    open: int | None = None
    changed: bool = False
    undo: int | None = None
    number: str = ""
    result: str = ""


class SaidProblem(NamedTuple):
    """What is wrong and what to do, as sentences."""

    severity: str
    text: str
    remedy: str


def said_problem(found: Problem, texts: Texts) -> SaidProblem:
    text, remedy = (said[:1].upper() + said[1:] for said in found.in_words(texts.language))
    return SaidProblem(found.severity, text.rstrip("."), remedy.rstrip("."))


@dataclass(frozen=True, slots=True)
class ProblemView:
    """cell: that it is in, in words, "" = in none; href: of the cell or of the page where it is mended."""

    severity: str
    text: str
    remedy: str
    cell: str
    href: str


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action of the open cell. number: from 0."""

    number: int
    do: str
    icon: str
    line: ActionLine
    fields: Sequence[FieldView]
    problems: Sequence[SaidProblem]
    is_open: bool


@dataclass(frozen=True, slots=True)
class AddView:
    do: str
    icon: str
    why_not: str


async def show_table(call: PageCall[MatrixQuery, None]) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
        tried = None
        if call.query.cell and call.query.number and call.may("senior_manager"):
            tried = await tried_call(conn, call, call.query.cell, call.query.number, call.query.result)
    return Shown("matrix/table.html", {**table_values(call, seen, call.query), "tried": tried})


def table_values(call: PageCall[Any, Any], seen: SeenDraft, query: MatrixQuery) -> dict[str, Any]:
    """Return what the table's page shows. Raise PageRefused for a cell or table that is not there."""
    table = query.table or seen.matrix.default
    if (query.table and table not in seen.matrix.tables) or (query.cell and query.cell not in CELLS):
        raise page_not_found()
    direction: TableDirection = query.direction or (
        "outbound" if query.cell.startswith("outbound.") else "inbound"
    )
    shown = TableShown(
        seen.matrix,
        seen.published,
        table,
        seen.problems,
        call.texts,
        seen.catalogue,
        open_cell=query.cell,
    )
    place = {"direction": direction, "table": query.table, "changed": query.changed}
    values = {
        "seen": seen,
        "query": query,
        "table": table,
        "direction": direction,
        "groups": shown.groups(direction),
        "place": place,
        "is_unset": seen.version == 1 and not seen.draft.is_changed,
        "trial_part": trial_part(call.texts, seen.trial) if seen.trial else "",
        "problems": [problem_view(call, p) for p in seen.problems],
        "may_edit": call.may("senior_manager"),
        "may_publish": call.may("admin"),
        "others": others_of(call, seen),
    }
    if not query.cell:
        return {**values, "open": None}
    opened = {
        "open": open_values(call, seen, table, query),
        "open_view": shown.cell(query.cell),
        "open_dom_id": dom_id_of(query.cell),
        "cell_title": cell_title(call.texts, query.cell),
        "tried_number": call.words.phone(SAMPLE_NUMBER),
        "tried_result": RESULT_OF.get(query.cell.split(".")[1], "missed"),
        "tried": None,
        "undo": query.undo,
    }
    return {**values, **opened}


def cell_title(texts: Texts, cell: str) -> str:
    """cell: its id."""
    direction, outcome, rest = cell.split(".")
    moment = rest.partition("/")[2]
    if moment == "ring":
        return texts.say("matrix.page.column.ring")
    said = texts.say(f"matrix.page.outcome.{direction}.{outcome}")
    return f"{said}, {texts.say(f'matrix.page.moment.{moment}')}"


def open_values(call: PageCall[Any, Any], seen: SeenDraft, table: str, query: MatrixQuery) -> dict[str, Any]:
    """Return what the panel of a cell shows."""
    actions = seen.matrix.tables[table].cells.get(query.cell)
    found = problems_by_cell(seen.problems, table).get(query.cell, ())
    first_bad = min((number_of(p) - 1 for p in found if p.severity == "error" and number_of(p)), default=0)
    chosen = first_bad if query.open is None else query.open
    return {
        "cell": query.cell,
        "actions": [
            action_view(call.texts, seen.catalogue, number, action, found, is_open=number == chosen)
            for number, action in enumerate(actions or ())
        ],
        "is_missing": actions is None,
        "problems": [said_problem(p, call.texts) for p in found if number_of(p) == 0],
        "add": additions(query.cell, seen.catalogue),
        "variables": variables(call.texts),
    }


def variables(texts: Texts) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what may stand in templates, by what it is of."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in VARIABLES:
        head = name.partition(".")[0] if "." in name else "other"
        key = f"matrix.page.variables.{head}"
        group = texts.say(key if key in texts.sentences else "matrix.page.variables.other")
        groups.setdefault(group, []).append((name, texts.word("variable", name)))
    return list(groups.items())


def trial_part(texts: Texts, trial: Trial) -> str:
    """Return which calls a trial is about."""
    if trial.line is not None:
        return texts.say("matrix.page.trial-of-line", line=trial.line)
    return texts.say("matrix.page.trial-of-share", percent=trial.percent or 0)


def action_view(
    texts: Texts,
    catalogue: Catalogue,
    number: int,
    action: Any,
    found: Sequence[Problem],
    *,
    is_open: bool,
) -> ActionView:
    mine = [p for p in found if number_of(p) == number + 1]
    return ActionView(
        number=number,
        do=action.do,
        icon=ICONS[action.do],
        line=line_of(action, texts, catalogue, is_bad=any(p.severity == "error" for p in mine)),
        fields=ActionFields(number, action, texts, catalogue).all(),
        problems=[said_problem(p, texts) for p in mine],
        is_open=is_open,
    )


def additions(cell: str, catalogue: Catalogue) -> list[AddView]:
    return [AddView(do, ICONS[do], why_not_here(do, cell, catalogue)) for do in ACTIONS]


def problem_view(call: PageCall[Any, Any], found: Problem) -> ProblemView:
    said = said_problem(found, call.texts)
    inside = cell_of(found)
    if inside is None:
        page = "/matrix/rules" if found.cell.startswith(("pipeline_rules", "default_pipeline")) else ""
        page = "/matrix/ads" if found.cell.startswith("parameters") else page
        return ProblemView(*said, "", call.here(page) if page else "")
    table, cell = inside
    number = number_of(found)
    href = call.here("/matrix", table=table, cell=cell, open=number - 1 if number else None)
    kind = call.texts.say(f"matrix.page.kind.{cell.split('.')[2].partition('/')[0]}")
    return ProblemView(*said, f"{kind} · {cell_title(call.texts, cell)}", f"{href}#panel-title")


def others_of(call: PageCall[Any, Any], seen: SeenDraft) -> list[Any]:
    return [one for one in seen.editors if one.who != call.who.name]
