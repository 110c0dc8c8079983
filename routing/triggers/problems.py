"""Checks of a trigger against what the account really has, before it is saved and whenever that changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from routing.staff import Staff
from routing.texts.catalogue import Language, Phrase, Texts, Value, phrase
from routing.texts.sentences import TEXTS
from routing.triggers.amounts import amount_of
from routing.triggers.conditions import NUMBER_TESTS, WITHOUT_VALUES
from routing.triggers.model import (
    AddToCampaign,
    CallBack,
    CauseKind,
    SendSms,
    StagePlace,
    ToEmployee,
    ToTemplate,
    Trigger,
    TypedCondition,
)
from routing.triggers.never import never_together

TriggerWeight = Literal["error", "warning"]

NOT_TOLD: frozenset[CauseKind] = frozenset(("invoice_paid",))
"""What amoCRM never tells."""

TRIGGER_PROBLEMS: Mapping[str, TriggerWeight] = {
    "pipeline-gone": "error",
    "stage-gone": "error",
    "amount-missing": "error",
    "event-not-told": "error",
    "event-twice": "warning",
    "field-gone": "error",
    "user-gone": "error",
    "employee-gone": "error",
    "values-missing": "error",
    "values-ignored": "warning",
    "one-number-needed": "error",
    "number-unreadable": "error",
    "never-holds": "error",
    "receiver-missing": "error",
    "receiver-without-extension": "error",
    "template-gone": "error",
    "text-refused": "error",
    "text-blank": "error",
    "text-too-long": "error",
    "connection-gone": "error",
    "provider-gone": "warning",
    "campaign-gone": "warning",
    "campaign-finished": "warning",
    "action-stage-gone": "error",
    "action-moves-back": "warning",
}


class TriggerProblem(NamedTuple):
    """field: where in the trigger, e.g. "conditions.2". An error blocks saving. said, remedy: for a person."""

    severity: TriggerWeight
    code: str
    field: str
    said: Phrase
    remedy: Phrase

    def in_words(self, language: Language) -> tuple[str, str]:
        texts: Texts = TEXTS[language]
        return texts.render(self.said), texts.render(self.remedy)


class KnownToTriggers(NamedTuple):
    """What an account has that a trigger speaks of. None: not read yet, so that nothing is said of it.

    stages: (pipeline, stage). fields: as conditions name them. users: of the CRM. templates: of distribution. connections: of
    PBXs. providers: SMS connections. finished: campaigns that take nothing more. text_problem: why the text of an SMS cannot be
    used, None = it can. not_told: what this CRM never tells.
    """

    staff: Staff
    stages: Collection[tuple[str, str]] | None = None
    fields: Collection[str] | None = None
    users: Collection[str] | None = None
    templates: Collection[str] | None = None
    connections: Collection[str] | None = None
    providers: Collection[str] | None = None
    campaigns: Collection[str] | None = None
    finished: Collection[str] = ()
    text_problem: Callable[[SendSms], TriggerProblem | None] = lambda action: None
    not_told: frozenset[CauseKind] = NOT_TOLD


def problems(trigger: Trigger, known: KnownToTriggers) -> list[TriggerProblem]:
    """Everything that is wrong, errors first."""
    found = [*_place(trigger, known), *_events(trigger, known)]
    for number, condition in enumerate(trigger.conditions, start=1):
        found.extend(_condition(condition, f"conditions.{number}", known))
    found.extend(_contradictions(trigger))
    found.extend(_action(trigger, known))
    return sorted(found, key=lambda one: one.severity != "error")


def can_be_saved(found: Sequence[TriggerProblem]) -> bool:
    return not any(one.severity == "error" for one in found)


def problem(code: str, field: str, /, **values: Value) -> TriggerProblem:
    said = phrase(f"trigger.problem.{code}", **values)
    return TriggerProblem(
        TRIGGER_PROBLEMS[code], code, field, said, phrase(f"trigger.problem.{code}.remedy", **values)
    )


def _place(trigger: Trigger, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    if known.stages is None:
        return
    if trigger.pipeline_id not in {pipeline for pipeline, _ in known.stages}:
        yield problem("pipeline-gone", "pipeline_id", id=trigger.pipeline_id)
    elif trigger.stage_id is not None and (trigger.pipeline_id, trigger.stage_id) not in known.stages:
        yield problem("stage-gone", "stage_id", stage=f"{trigger.pipeline_id}/{trigger.stage_id}")


def _events(trigger: Trigger, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    for number, event in enumerate(trigger.events, start=1):
        field = f"events.{number}"
        if event.on == "price_crossed" and event.amount is None:
            yield problem("amount-missing", field)
        if event.on in known.not_told:
            yield problem("event-not-told", field)
        if event in trigger.events[: number - 1]:
            yield problem("event-twice", field)
        if event.field is not None and known.fields is not None and event.field not in known.fields:
            yield problem("field-gone", field, field=event.field)


def _condition(condition: TypedCondition, field: str, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    if ".cf_" in condition.of and known.fields is not None and condition.of not in known.fields:
        yield problem("field-gone", field, field=condition.of)
    if condition.test in WITHOUT_VALUES:
        if condition.values:
            yield problem("values-ignored", field)
    elif not condition.values:
        yield problem("values-missing", field)
    if condition.test in NUMBER_TESTS and len(condition.values) > 1:
        yield problem("one-number-needed", field)
    if condition.test in NUMBER_TESTS or condition.of == "price":
        for text in condition.values:
            if amount_of(text) is None:
                yield problem("number-unreadable", field, text=text)
    if condition.of == "responsible":
        yield from _people(condition, field, known)


def _people(condition: TypedCondition, field: str, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    for value in condition.values:
        kind, _, id = value.partition(":")
        if kind == "employee":
            if id not in known.staff.by_id:
                yield problem("employee-gone", field, id=id)
        elif known.users is not None and value.removeprefix("user:") not in known.users:
            yield problem("user-gone", field, id=value)


def _contradictions(trigger: Trigger) -> Iterator[TriggerProblem]:
    for number, later in enumerate(trigger.conditions, start=1):
        for before, earlier in enumerate(trigger.conditions[: number - 1], start=1):
            if never_together(earlier, later):
                yield problem("never-holds", f"conditions.{number}", other=before)
        if later.of in ("pipeline", "stage") and _is_elsewhere(later, trigger):
            yield problem("never-holds", f"conditions.{number}", other="stage")


def _is_elsewhere(condition: TypedCondition, trigger: Trigger) -> bool:
    stands = trigger.pipeline_id if condition.of == "pipeline" else trigger.stage_id
    return stands is not None and condition.test in ("equals", "one_of") and stands not in condition.values


def _action(trigger: Trigger, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    action = trigger.action
    if isinstance(action, SendSms):
        yield from _sms(action, known)
    elif isinstance(action, CallBack):
        yield from _callback(trigger, action, known)
    elif isinstance(action, AddToCampaign):
        yield from _named("campaign", action.campaign, known.campaigns)
        if action.campaign in known.finished:
            yield problem("campaign-finished", "action.campaign", name=action.campaign)
        yield from _stage(action.unreached.stage, "action.unreached.stage", trigger, known)


def _sms(action: SendSms, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    if not (action.to.client or action.to.responsible or action.to.employees):
        yield problem("receiver-missing", "action.to")
    for id in action.to.employees:
        yield from _employee(id, "action.to.employees", known)
    if found := known.text_problem(action):
        yield found
    yield from _named("provider", action.provider, known.providers)


def _callback(trigger: Trigger, action: CallBack, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    target = action.target
    yield from _named("connection", action.connection, known.connections)
    if isinstance(target, ToEmployee):
        yield from _employee(target.employee_id, "action.target", known)
    if isinstance(target, ToTemplate) and known.templates is not None and target.name not in known.templates:
        yield problem("template-gone", "action.target", name=target.name)
    yield from _stage(action.failed_stage, "action.failed_stage", trigger, known)
    yield from _stage(action.succeeded_stage, "action.succeeded_stage", trigger, known)


def _named(what: str, name: str, known: Collection[str] | None) -> Iterator[TriggerProblem]:
    if known is not None and name not in known:
        yield problem(f"{what}-gone", f"action.{what}", name=name)


def _employee(id: str, field: str, known: KnownToTriggers) -> Iterator[TriggerProblem]:
    person = known.staff.by_id.get(id)
    if person is None:
        yield problem("employee-gone", field, id=id)
    elif not person.extensions:
        yield problem("receiver-without-extension", field, name=person.name)


def _stage(
    place: StagePlace | None, field: str, trigger: Trigger, known: KnownToTriggers
) -> Iterator[TriggerProblem]:
    """Find stages that are gone, and those where this very trigger fires again: a circle, which the guard has to stop."""
    if place is None:
        return
    if known.stages is not None and (place.pipeline_id, place.stage_id) not in known.stages:
        yield problem("action-stage-gone", field, stage=f"{place.pipeline_id}/{place.stage_id}")
    if any(event.on == "entered" for event in trigger.events) and trigger.is_at(
        place.pipeline_id, place.stage_id
    ):
        yield problem("action-moves-back", field, stage=f"{place.pipeline_id}/{place.stage_id}")
