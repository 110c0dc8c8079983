"""What is wrong with a schedule, as its pages say it: whose hours are meant, and everybody of whom the same is true at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from routing.schedules.checks import ScheduleProblem
from routing.staff import Staff
from routing.texts.catalogue import Texts

_NOWHERE = "hours-nowhere"


class ProblemSaid(NamedTuple):
    severity: Literal["error", "warning"]
    what: str
    remedy: str


def problems_said(problems: Sequence[ScheduleProblem], staff: Staff, texts: Texts) -> list[ProblemSaid]:
    free = [whose(problem.where, staff, texts) for problem in problems if problem.code == _NOWHERE]
    said = [_said(problem, staff, texts) for problem in problems if problem.code != _NOWHERE]
    if free:
        what = texts.say("shifts.problem.nowhere", names=", ".join(free))
        said.append(ProblemSaid("warning", what, texts.say("shifts.problem.nowhere.remedy")))
    return list(dict.fromkeys(said))


def whose(where: str, staff: Staff, texts: Texts) -> str:
    """where: as a problem has it. Return "" for what is nobody's."""
    kind, _, rest = where.partition(".")
    if kind == "everybody":
        return texts.say("shifts.grid.everybody")
    names = {
        "people": {p.id: p.name for p in staff.employees},
        "groups": {p.group or "": "" for p in staff.employees},
    }
    found = [id for id in names.get(kind, {}) if id and (rest == id or rest.startswith(f"{id}."))]
    if not found:
        return rest if kind in names else ""
    one = max(found, key=len)
    return names["people"][one] if kind == "people" else texts.say("shifts.grid.group", name=one)


def _said(problem: ScheduleProblem, staff: Staff, texts: Texts) -> ProblemSaid:
    what, remedy = (_sentence(text) for text in problem.in_words(texts.language))
    is_of_hours = (
        problem.where.startswith(("people.", "groups.", "everybody.")) and problem.where.count(".") > 1
    )
    name = whose(problem.where, staff, texts) if is_of_hours else ""
    return ProblemSaid(
        problem.severity, texts.say("shifts.problem.whose", name=name, what=what) if name else what, remedy
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
