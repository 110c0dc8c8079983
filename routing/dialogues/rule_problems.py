"""What a channel's rules name that is not there, or cannot be so: what the CRM and the staff have, compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from routing.dialogues.access import ChannelRight, may_not_write
from routing.dialogues.rules import ChannelRules
from routing.matrix.catalogue import Catalogue, CataloguePipeline, CatalogueStage
from routing.staff import Staff

RuleProblemCode = Literal[
    "pipeline-unknown",
    "stage-unknown",
    "stage-closed",
    "stage-unsorted",
    "template-unknown",
    "template-no-right",
    "template-nobody",
    "employee-unknown",
    "employee-away",
    "author-blank",
]
RULE_PROBLEMS: tuple[RuleProblemCode, ...] = (
    "pipeline-unknown",
    "stage-unknown",
    "stage-closed",
    "stage-unsorted",
    "template-unknown",
    "template-no-right",
    "template-nobody",
    "employee-unknown",
    "employee-away",
    "author-blank",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProblem:
    """rule: which. value: what it says, as people call it; id: the same by its id. known: what it may be, () = not told."""

    rule: str
    code: RuleProblemCode
    value: str
    id: str = ""
    known: tuple[str, ...] = ()


def rule_problems(rules: ChannelRules, catalogue: Catalogue) -> tuple[RuleProblem, ...]:
    """catalogue: of the account; where its pipelines were never read, any may be right."""
    return (
        *_of_place(rules, catalogue),
        *_of_template(rules, catalogue),
        *_of_people("employees", rules.employees, catalogue),
        *_of_authors(rules, catalogue),
    )


def right_problems(
    channel: str,
    rules: ChannelRules,
    templates: Mapping[str, Sequence[str]],
    rights: Mapping[str, Mapping[str, ChannelRight]],
    observers: Collection[str],
    staff: Staff,
) -> tuple[RuleProblem, ...]:
    """Return what is said of people of the template that hands a channel's deals out who may not write there: the rules are right, and
    nothing is refused for it. templates: their people, by name. rights: by employee, then by channel."""
    if rules.owner != "template" or rules.template is None:
        return ()
    people = templates.get(rules.template, ())
    unable = may_not_write(people, rights, observers, channel)
    if not unable:
        return ()
    names = ", ".join(person.name for id in unable if (person := staff.by_id.get(id)))
    code: RuleProblemCode = "template-nobody" if len(unable) == len(people) else "template-no-right"
    return (RuleProblem(rule="template", code=code, value=names),)


def is_for_new_deals(stage: CatalogueStage) -> bool:
    """Whether a deal that begins may stand there."""
    return not (stage.is_closed or stage.is_unsorted)


def _of_place(rules: ChannelRules, catalogue: Catalogue) -> Iterator[RuleProblem]:
    if rules.pipeline_id is None:
        return
    if not catalogue.is_loaded:
        yield from _of_numbers(rules)
        return
    pipeline = catalogue.pipeline(rules.pipeline_id)
    if pipeline is None:
        known = tuple(_called(p.id, p.name) for p in catalogue.pipelines)
        yield RuleProblem(rule="pipeline_id", code="pipeline-unknown", value=rules.pipeline_id, known=known)
    elif rules.stage_id is not None:
        yield from _of_stage(rules.stage_id, pipeline)


def _of_numbers(rules: ChannelRules) -> Iterator[RuleProblem]:
    """Yield what no CRM would have, although nobody has read what this one has."""
    if not _is_number(rules.pipeline_id):
        yield RuleProblem(rule="pipeline_id", code="pipeline-unknown", value=rules.pipeline_id or "")
    if not _is_number(rules.stage_id):
        yield RuleProblem(rule="stage_id", code="stage-unknown", value=rules.stage_id or "")


def _is_number(id: str | None) -> bool:
    return id is None or (id.isascii() and id.isdigit())


def _of_stage(stage_id: str, pipeline: CataloguePipeline) -> Iterator[RuleProblem]:
    stage = next((s for s in pipeline.stages if s.id == stage_id), None)
    if stage is not None and is_for_new_deals(stage):
        return
    code: RuleProblemCode = "stage-unknown"
    if stage is not None:
        code = "stage-closed" if stage.is_closed else "stage-unsorted"
    known = tuple(_called(s.id, s.name) for s in pipeline.stages if is_for_new_deals(s))
    value = _called(stage_id, stage.name if stage else "")
    yield RuleProblem(rule="stage_id", code=code, value=value, known=known)


def _of_template(rules: ChannelRules, catalogue: Catalogue) -> Iterator[RuleProblem]:
    if rules.owner == "template" and rules.template not in (catalogue.templates or ()):
        known = tuple(sorted(catalogue.templates or ()))
        yield RuleProblem(rule="template", code="template-unknown", value=rules.template or "", known=known)


def _of_people(rule: str, named: Iterable[str], catalogue: Catalogue) -> Iterator[RuleProblem]:
    """Before the CRM's users were read nobody is taken for gone."""
    staff = catalogue.staff
    known = tuple(_called(p.id, p.name) for p in staff.employees if staff.can_be_given_work(p))
    for who in named:
        person = staff.by_id.get(who)
        if person is None:
            yield RuleProblem(rule=rule, code="employee-unknown", value=who, id=who, known=known)
        elif catalogue.users and not staff.can_be_given_work(person):
            yield RuleProblem(
                rule=rule, code="employee-away", value=_called(person.id, person.name), id=who, known=known
            )


def _of_authors(rules: ChannelRules, catalogue: Catalogue) -> Iterator[RuleProblem]:
    for theirs, ours in rules.authors.items():
        if theirs != theirs.strip() or not theirs:
            yield RuleProblem(rule="authors", code="author-blank", value=ours, id=ours)
    yield from _of_people("authors", rules.authors.values(), catalogue)


def _called(id: str, name: str) -> str:
    return f"{id} «{name}»" if name and name != id else id
