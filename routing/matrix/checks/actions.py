"""Checks of single actions: people, places, fields and texts that they name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from routing.matrix.actions import Action, Attach, ChangeStage, MakeContact, MakeDeal, MakeLead, MakeTask
from routing.matrix.by_template.turns import template_named
from routing.matrix.catalogue import Catalogue, CatalogueStage
from routing.matrix.checks.problems import Problem, problem
from routing.matrix.texts import action_phrase
from routing.matrix.variables import compiled
from routing.templates import TemplateRefused
from routing.texts.catalogue import Phrase, phrase
from routing.texts.sentences import RU

_ONCE = ("create_contact", "create_deal", "create_lead", "attach_call", "show_card", "call_back")
_TEXTS = ("name", "contact_name", "source_name", "text", "note")


def check_cell(where: str, cell: str, actions: Sequence[Action]) -> Iterator[Problem]:
    """Return what is wrong with the order and number of a cell's actions."""
    times: Counter[str] = Counter(a.do for a in actions)
    for what in _ONCE:
        if times[what] > 1:
            yield problem("action-repeated", where, what=action_phrase(what))
    order = [type(a) for a in actions]
    if ".new/" in cell and MakeDeal in order and MakeContact in order[order.index(MakeDeal) :]:
        yield problem("deal-without-contact", where)
    if not cell.endswith("/end") and any(isinstance(a, Attach) for a in actions):
        yield problem("attached-too-early", where)


def check_action(where: str, action: Action, catalogue: Catalogue) -> Iterator[Problem]:
    if choice := getattr(action, "responsible", None):
        yield from _person(where, choice, catalogue)
    yield from _texts(where, action)
    yield from _fields(where, action, catalogue)
    if isinstance(action, MakeDeal):
        yield from _deal(where, action, catalogue)
    elif isinstance(action, MakeLead):
        yield from _lead(where, action, catalogue)
    elif isinstance(action, ChangeStage):
        yield from check_place(where, action.pipeline_id, action.stage_id, catalogue)
        for stage in action.only_from:
            yield from check_place(where, None, stage, catalogue, is_reached=False)
    elif isinstance(action, MakeTask):
        yield from _task_type(where, action.type, catalogue)
        if action.due.minutes == 0:
            yield problem("task-due-at-once", where)


def check_place(
    where: str,
    pipeline_id: str | None,
    stage_id: str | None,
    catalogue: Catalogue,
    *,
    is_new: bool = False,
    is_reached: bool = True,
) -> Iterator[Problem]:
    """Pipeline and stage exist, belong together and are in use. is_new: a deal is created there. is_reached: it is put there."""
    if not catalogue.is_loaded:
        return
    pipeline = catalogue.pipeline(pipeline_id)
    if pipeline_id and not pipeline:
        yield problem("pipeline-gone", where, id=pipeline_id)
    if pipeline and pipeline.is_archived:
        yield problem("pipeline-archived", where, name=pipeline.name or pipeline.id)
    if not stage_id:
        return
    homes = {p.id: s for p in catalogue.pipelines for s in p.stages if s.id == stage_id}
    if not homes:
        yield problem("stage-gone", where, id=stage_id)
    elif pipeline and pipeline.id not in homes:
        stage = next(iter(homes.values()))
        yield problem("stage-elsewhere", where, name=_name(stage), pipeline=pipeline.name or pipeline.id)
    elif is_new and all(s.is_closed for s in homes.values()):
        yield problem("stage-closed", where, name=_name(next(iter(homes.values()))))
    elif is_reached and all(s.is_unsorted for s in homes.values()):
        yield problem("stage-unsorted", where, name=_name(next(iter(homes.values()))))


def _name(stage: CatalogueStage) -> str:
    return stage.name or stage.id


def _deal(where: str, action: MakeDeal, catalogue: Catalogue) -> Iterator[Problem]:
    yield from check_place(where, action.pipeline_id, action.stage_id, catalogue, is_new=True)
    if action.when_open != "separate_stage":
        return
    if not action.separate_stage_id:
        yield problem("separate-stage-missing", where)
    place = action.separate_pipeline_id or action.pipeline_id
    yield from check_place(where, place, action.separate_stage_id, catalogue, is_new=True)


def _lead(where: str, action: MakeLead, catalogue: Catalogue) -> Iterator[Problem]:
    yield from check_place(where, action.pipeline_id, None, catalogue)
    pipeline = catalogue.pipeline(action.pipeline_id)
    if not catalogue.is_unsorted_on:
        yield problem("unsorted-off", where, where="")
    elif pipeline and not pipeline.is_unsorted_on:
        yield problem("unsorted-off", where, where=f" ({pipeline.name or pipeline.id})")


def _person(where: str, choice: str, catalogue: Catalogue) -> Iterator[Problem]:
    if choice.startswith("template"):
        yield from _template(where, template_named(choice), catalogue)
    elif choice == "senior":
        senior = catalogue.staff.senior
        if senior is None:
            yield problem("senior-missing", where)
        else:
            yield from _employee(where, senior.id, catalogue)
    elif choice.startswith("employee:"):
        yield from _employee(where, choice.partition(":")[2], catalogue)


def _template(where: str, name: str, catalogue: Catalogue) -> Iterator[Problem]:
    known = catalogue.templates
    if not name or (known is not None and name not in known):
        yield problem("template-unknown", where, name=name)
    elif known is not None and not known[name]:
        yield problem("template-without-people", where, name=name)


def _employee(where: str, employee_id: str, catalogue: Catalogue) -> Iterator[Problem]:
    person = next((p for p in catalogue.staff.employees if p.id == employee_id), None)
    if person is None:
        yield problem("person-gone", where, id=employee_id)
    elif not person.crm_user_id:
        yield problem("person-unmapped", where, name=person.name)
    elif not person.is_active or not catalogue.is_active_user(person.crm_user_id):
        yield problem("person-inactive", where, name=person.name)


def _texts(where: str, action: Action) -> Iterator[Problem]:
    texts = [(name, getattr(action, name)) for name in _TEXTS if getattr(action, name, None)]
    texts += [("tags", tag) for tag in getattr(action, "tags", ())]
    texts += list(getattr(action, "fields", {}).items())
    for name, source in texts:
        try:
            compiled(source)
        except TemplateRefused as err:
            yield problem("template-refused", where, setting=_setting(name), reason=err.said)


def _setting(name: str) -> str | Phrase:
    """One of an action's own, or a field of the CRM, which has no other name."""
    key = f"matrix.setting.{name}"
    return phrase(key) if key in RU.sentences else name


def _fields(where: str, action: Action, catalogue: Catalogue) -> Iterator[Problem]:
    """Fields of a contact, a deal, a lead's deal, or of either where both are updated."""
    entities: tuple[str, ...] = ("deal",)
    if action.do == "create_contact":
        entities = ("contact",)
    elif action.do == "set_fields":
        entities = action.on
    for name in getattr(action, "fields", {}):
        for entity in entities:
            if not catalogue.has_field(entity, name):
                yield problem("field-unknown", where, name=name, entity=entity)


def _task_type(where: str, name: str, catalogue: Catalogue) -> Iterator[Problem]:
    if catalogue.task_types and name not in ("call", "meeting", *catalogue.task_types):
        yield problem("task-type-unknown", where, name=name)
