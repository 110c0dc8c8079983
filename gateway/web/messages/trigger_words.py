"""A trigger in one line: on what it fires, under which conditions, and what it does. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.web.matrix.choosers import place_of
from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.trigger_typed import typed_of
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import Texts
from routing.triggers.conditions import WITHOUT_VALUES
from routing.triggers.model import (
    AddToCampaign,
    CallBack,
    SendSms,
    ToEmployee,
    ToGroup,
    ToTemplate,
    Trigger,
)

_LONGEST_TEXT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerLine:
    """events: in words. what: the action. conditions: in words, all of which must hold."""

    name: str
    is_on: bool
    do: str
    events: Sequence[str]
    conditions: Sequence[str]
    what: str
    text: str
    version: int


def trigger_line(
    trigger: Trigger, version: int, texts: Texts, names: KnownNames, catalogue: Catalogue
) -> TriggerLine:
    given = typed_of(trigger, version, names)
    events = [_event(line.on, line.about, texts) for line in given.events]
    conditions = [condition_said(c.of, c.test, c.values, texts, names) for c in given.conditions]
    action = trigger.action
    return TriggerLine(
        name=trigger.name,
        is_on=trigger.is_on,
        do=action.do,
        events=events,
        conditions=conditions,
        what=action_said(action, texts, catalogue),
        text=_short(action.template) if isinstance(action, SendSms) else "",
        version=version,
    )


def _event(on: str, about: str, texts: Texts) -> str:
    said = texts.word("trigger.on", on)
    return texts.say("messages.line.event_about", event=said, about=about) if about else said


def condition_said(of: str, test: str, values: str, texts: Texts, names: KnownNames) -> str:
    what = texts.say(f"messages.of.{of}") if f"messages.of.{of}" in texts.sentences else names.field_said(of)
    said = texts.word("trigger.test", test)
    if test in WITHOUT_VALUES:
        return texts.say("messages.line.condition_alone", what=what, test=said)
    return texts.say("messages.line.condition", what=what, test=said, values=values)


def action_said(action: SendSms | CallBack | AddToCampaign, texts: Texts, catalogue: Catalogue) -> str:
    match action:
        case SendSms():
            return texts.say(
                "messages.line.sms", to=receivers(action, texts, catalogue), provider=action.provider
            )
        case CallBack():
            who = target_said(action.target, texts, catalogue)
            return texts.say("messages.line.callback", who=who, connection=action.connection)
    return texts.say("messages.line.campaign", campaign=action.campaign)


def receivers(action: SendSms, texts: Texts, catalogue: Catalogue) -> tuple[str, ...]:
    client = (texts.say("messages.to.client"),) if action.to.client else ()
    responsible = (texts.say("messages.to.responsible"),) if action.to.responsible else ()
    known = catalogue.staff.by_id
    people = tuple(known[id].name if id in known else id for id in action.to.employees)
    return client + responsible + people


def place_said(value: str, texts: Texts, names: KnownNames) -> str:
    """value: as a form has it, pipeline:stage; "" is none."""
    place = place_of(value)
    if place.pipeline_id is None:
        return ""
    pipeline = names.pipelines.get(place.pipeline_id, place.pipeline_id)
    if place.stage_id is None:
        return texts.say("messages.trigger.any_stage", name=pipeline)
    stage = names.stages.get((place.pipeline_id, place.stage_id), place.stage_id)
    return texts.say("messages.trigger.stage", pipeline=pipeline, stage=stage)


def yes_or_no(is_so: bool, texts: Texts) -> str:
    return texts.say(f"messages.conflict.is_{is_so}".lower())


def target_said(target: object, texts: Texts, catalogue: Catalogue) -> str:
    match target:
        case ToEmployee():
            person = catalogue.staff.by_id.get(target.employee_id)
            return person.name if person else target.employee_id
        case ToGroup():
            return texts.say("messages.target.group", name=target.group)
        case ToTemplate():
            return texts.say("messages.target.template", name=target.name)
    return texts.say("messages.target.responsible")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST_TEXT else f"{plain[: _LONGEST_TEXT - 1]}…"
