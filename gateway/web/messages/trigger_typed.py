"""A trigger as its form has it: the trigger in plain fields, and the fields back as a trigger. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict, Field

from gateway.web.frame import Form
from gateway.web.matrix.choosers import place_of, place_value
from gateway.web.messages.known_names import KnownNames
from routing.triggers.amounts import amount_of
from routing.triggers.conditions import WITHOUT_VALUES
from routing.triggers.model import (
    AddToCampaign,
    CallBack,
    SendSms,
    StagePlace,
    ToEmployee,
    ToGroup,
    ToTemplate,
    Trigger,
    TriggerEvent,
)

ActionName = Literal["sms", "callback", "campaign"]
_MOST_ROWS = 50


class TriggerForm(Form):
    """Besides these the form has the fields of each row: e0.on, e0.about, c0.of, c0.test, c0.values. act: save, preview, more
    (rows), or insert.<macro>. place: pipeline:stage. deal: of the preview."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    act: str = Field(default="save", max_length=100)
    version: int = Field(default=0, ge=0, le=2**31 - 1)
    do: ActionName = "sms"
    name: str = ""
    place: str = ""
    position: str = ""
    is_on: bool = False
    template: str = ""
    provider: str = ""
    sender: str = ""
    max_parts: str = ""
    any_hour: bool = False
    to_client: bool = False
    to_responsible: bool = False
    employees: tuple[str, ...] = ()
    connection: str = ""
    target: str = ""
    line: str = ""
    task_when_failed: bool = False
    failed_stage: str = ""
    succeeded_stage: str = ""
    priority: str = ""
    campaign: str = ""
    unreached_task: bool = False
    unreached_stage: str = ""
    deal: str = Field(default="", max_length=40)


class EventLine(NamedTuple):
    """about: the amount, the tag or the field, of events that have one."""

    on: str
    about: str = ""


class ConditionLine(NamedTuple):
    of: str
    test: str
    values: str = ""


class TypedTrigger(NamedTuple):
    """Rows that were left empty are not among them."""

    form: TriggerForm
    events: Sequence[EventLine]
    conditions: Sequence[ConditionLine]

    @property
    def pipeline_id(self) -> str:
        return place_of(self.form.place).pipeline_id or ""

    @property
    def stage_id(self) -> str | None:
        return place_of(self.form.place).stage_id


def typed(form: TriggerForm) -> TypedTrigger:
    """Return what was sent."""
    rows = _rows(form.model_extra or {})
    events = [EventLine(r["on"], r.get("about", "").strip()) for r in rows["e"] if r.get("on")]
    conditions = [
        ConditionLine(r["of"], r.get("test", "equals"), r.get("values", "").strip())
        for r in rows["c"]
        if r.get("of")
    ]
    return TypedTrigger(form, events, conditions)


def _rows(extra: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    by_number: dict[str, dict[int, dict[str, str]]] = {"e": {}, "c": {}}
    for key, value in extra.items():
        head, _, name = key.partition(".")
        kind, number = head[:1], head[1:]
        is_row = kind in by_number and number.isascii() and number.isdigit() and len(number) < 4
        if is_row and isinstance(value, str):
            by_number[kind].setdefault(int(number), {})[name] = value
    return {kind: [row for _, row in sorted(rows.items())][:_MOST_ROWS] for kind, rows in by_number.items()}


def typed_of(trigger: Trigger, version: int, names: KnownNames) -> TypedTrigger:
    """Return a saved one."""
    where = trigger.pipeline_id
    form = TriggerForm(
        version=version,
        do=trigger.action.do,
        name=trigger.name,
        place=place_value(where, trigger.stage_id),
        position=str(trigger.position or ""),
        is_on=trigger.is_on,
        **_action_fields(trigger.action),
    )
    events = [EventLine(event.on, _about(event, names)) for event in trigger.events]
    conditions = [
        ConditionLine(c.of, c.test, names.values_said(c.of, c.test, c.values, where))
        for c in trigger.conditions
    ]
    return TypedTrigger(form, events, conditions)


def _about(event: TriggerEvent, names: KnownNames) -> str:
    match event.on:
        case "price_crossed":
            return "" if event.amount is None else str(event.amount)
        case "field_changed":
            return names.field_said(event.field) if event.field else ""
    return event.tag or ""


def _action_fields(action: SendSms | CallBack | AddToCampaign) -> dict[str, Any]:
    match action:
        case SendSms():
            return {
                "template": action.template,
                "provider": action.provider,
                "sender": action.sender or "",
                "max_parts": str(action.max_parts),
                "any_hour": action.any_hour,
                "to_client": action.to.client,
                "to_responsible": action.to.responsible,
                "employees": action.to.employees,
            }
        case CallBack():
            return {
                "connection": action.connection,
                "target": target_value(action.target),
                "line": action.line or "",
                "task_when_failed": action.task_when_failed,
                "failed_stage": _place_value(action.failed_stage),
                "succeeded_stage": _place_value(action.succeeded_stage),
                "priority": str(action.priority or ""),
            }
        case AddToCampaign():
            return {
                "campaign": action.campaign,
                "unreached_task": action.unreached.task,
                "unreached_stage": _place_value(action.unreached.stage),
            }


def target_value(target: Any) -> str:
    """Return who talks as one value of a select: responsible, employee:ID, group:NUMBER, template:NAME."""
    match target:
        case ToEmployee():
            return f"employee:{target.employee_id}"
        case ToGroup():
            return f"group:{target.group}"
        case ToTemplate():
            return f"template:{target.name}"
    return "responsible"


def target_of(value: str) -> dict[str, str]:
    kind, _, named = value.partition(":")
    field = {"employee": "employee_id", "group": "group", "template": "name"}.get(kind)
    return {"kind": kind, field: named} if field else {"kind": "responsible"}


def _place_value(place: StagePlace | None) -> str:
    return place_value(place.pipeline_id, place.stage_id) if place else ""


def stage_of(value: str) -> dict[str, str] | None:
    place = place_of(value)
    if not place.pipeline_id or not place.stage_id:
        return None
    return {"pipeline_id": place.pipeline_id, "stage_id": place.stage_id}


def asked(given: TypedTrigger, names: KnownNames) -> dict[str, Any]:
    """Return it as `Trigger` reads it; what cannot be is refused there, or by the checks."""
    form, where = given.form, given.pipeline_id
    return {
        "name": form.name.strip(),
        "pipeline_id": where,
        "stage_id": given.stage_id,
        "events": [_event(line, names) for line in given.events],
        "conditions": [_condition(line, names, where) for line in given.conditions],
        "action": _action(form),
        "position": form.position.strip() or 0,
        "is_on": form.is_on,
    }


def _event(line: EventLine, names: KnownNames) -> dict[str, Any]:
    about = line.about
    match line.on:
        case "price_crossed" if about:
            amount = amount_of(about)
            whole = amount is not None and amount == amount.to_integral_value()
            return {"on": line.on, "amount": int(amount) if whole and amount is not None else about}
        case "field_changed" if about:
            return {"on": line.on, "field": names.field_read(about)}
        case "tag_added" if about:
            return {"on": line.on, "tag": about}
    return {"on": line.on}


def _condition(line: ConditionLine, names: KnownNames, where: str) -> dict[str, Any]:
    values = () if line.test in WITHOUT_VALUES else names.values_read(line.of, line.test, line.values, where)
    return {"of": line.of, "test": line.test, "values": values}


def _action(form: TriggerForm) -> dict[str, Any]:
    if form.do == "sms":
        to = {"client": form.to_client, "responsible": form.to_responsible, "employees": form.employees}
        return {
            "do": "sms",
            "template": form.template.replace("\r\n", "\n"),
            "provider": form.provider,
            "sender": form.sender.strip() or None,
            "max_parts": form.max_parts.strip() or 4,
            "any_hour": form.any_hour,
            "to": to,
        }
    if form.do == "callback":
        return {
            "do": "callback",
            "connection": form.connection,
            "target": target_of(form.target),
            "line": form.line.strip() or None,
            "task_when_failed": form.task_when_failed,
            "failed_stage": stage_of(form.failed_stage),
            "succeeded_stage": stage_of(form.succeeded_stage),
            "priority": form.priority.strip() or 0,
        }
    unreached = {"task": form.unreached_task, "stage": stage_of(form.unreached_stage)}
    return {"do": "campaign", "campaign": form.campaign, "unreached": unreached}


_FIELDS: Mapping[str, str] = {
    "pipeline_id": "place",
    "stage_id": "place",
    "to": "to_client",
}
"""Part of a trigger -> the field of the form, where they are called otherwise."""


def field_named(path: Sequence[str | int], *, from_one: bool = False) -> str:
    """Return the field of the form that a place in a trigger has. path: as pydantic has it, or a problem's, parted at its dots.
    from_one: rows are numbered from 1."""
    parts = [str(part) for part in path]
    if parts[0] in ("events", "conditions"):
        if len(parts) == 1 or not parts[1].isdigit():
            return "e0-on"
        row = int(parts[1]) - from_one
        return f"e{row}-on" if parts[0] == "events" else f"c{row}-of"
    names = [
        part for part in parts if part not in ("action", "sms", "callback", "campaign") or part == parts[-1]
    ]
    if "unreached" in parts or "employees" in parts:
        return "unreached_stage" if "unreached" in parts else "employees"
    for part in names:
        if part in _FIELDS or part in TriggerForm.model_fields:
            return _FIELDS.get(part, part)
    return "name"
