"""One order for the CRM as a short sentence, for dry runs and replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.decisions.names_then import NamesThen, PlaceThen
from routing.client import Ref
from routing.effects import (
    AddNote,
    AttachCall,
    CallClient,
    ChangeNote,
    ChangeTask,
    CreateContact,
    CreateDeal,
    CreateLead,
    CreateTask,
    GiveTasks,
    Order,
    ShowCard,
    UpdateEntity,
)
from routing.texts.catalogue import Language, Phrase, Texts, Value, phrase

_MOMENT: Mapping[Language, str] = {"ru": "%d.%m %H:%M", "en": "%d %b %H:%M"}


def order_in_words(
    order: Order,
    names: NamesThen,
    texts: Texts,
    zone: str,
    form: str = "order",
    moment: Callable[[datetime], str] | None = None,
) -> str:
    """names: of the moment of the decision. zone: IANA name of the account's; times are told as its people read their clocks.
    form: of the sentence, before the kind of order: "order" says what is to be done. moment: how a time is written."""
    written = moment or (lambda at: format(at.astimezone(ZoneInfo(zone)), _MOMENT[texts.language]))
    return texts.say(f"{form}.{order.do}", **_values(order, names, written))


def _values(order: Order, names: NamesThen, moment: Callable[[datetime], str]) -> dict[str, Value]:
    match order:
        case CreateContact():
            return {
                "name": order.name,
                "owner": _owner(order.owner_id, names),
                "tags": _tags(order.tags),
            }
        case CreateDeal():
            return {
                "name": order.name,
                "where": _place("pipeline", order.pipeline_id, order.stage_id, names),
                "owner": _owner(order.owner_id, names),
                "tags": _tags(order.tags),
            }
        case CreateLead():
            where = _place("pipeline", order.pipeline_id, None, names, is_lead=True)
            return {"name": order.name, "where": where, "owner": _owner(order.owner_id, names)}
        case AttachCall():
            said = f": {order.result}" if order.result else ""
            return {
                "target": _target(order.target),
                "status": phrase(f"order.call-status.{order.status}"),
                "said": said,
            }
        case AddNote() | ChangeNote():
            return {"target": _target(order.target), "text": order.text}
        case CreateTask():
            due = moment(order.due_at)
            return {"owner": _owner(order.owner_id, names), "due": due, "text": order.text}
        case UpdateEntity():
            return {
                "target": _target(order.target),
                "place": _moved_to(order, names),
                "fields": _fields(order),
                "tags": _tags(order.tags),
                "owner": _owner(order.owner_id, names) if order.owner_id else "",
            }
        case GiveTasks():
            return {"target": _target(order.target), "owner": _owner(order.owner_id, names)}
        case ShowCard():
            return {"count": len(order.user_ids)}
        case CallClient():
            name = phrase("order.part.owner", name=names.employee(order.employee_id))
            return {"number": order.number, "owner": name}
        case ChangeTask():
            return {}


def _owner(user_id: str | None, names: NamesThen) -> Phrase:
    if user_id is None:
        return phrase("order.part.nobody")
    return phrase("order.part.owner", name=names.user(user_id))


def _place(
    name: str, pipeline_id: str | None, stage_id: str | None, names: NamesThen, *, is_lead: bool = False
) -> Value:
    """Name the place. A pipeline or stage that is not named is the one that the CRM takes then."""
    place = names.place(pipeline_id, stage_id, is_lead=is_lead)
    if place is None:
        place = PlaceThen(pipeline_id or "", stage_id or "")
    pipeline: Value = phrase(f"order.part.{name}", pipeline=place.pipeline) if place.pipeline else ""
    stage: Value = phrase("order.part.stage", stage=place.stage) if place.stage else ""
    return phrase("order.part.place", pipeline=pipeline, stage=stage)


def _moved_to(order: UpdateEntity, names: NamesThen) -> Value:
    if order.pipeline_id is None and order.stage_id is None:
        return ""
    return _place("to-pipeline", order.pipeline_id, order.stage_id, names)


def _tags(tags: tuple[str, ...]) -> Value:
    return phrase("order.part.tags", tags=tags) if tags else ""


def _target(ref: Ref | None) -> Phrase:
    if ref is None:
        return phrase("order.target.found")
    kind = phrase(f"entity.{ref.kind}")
    return (
        phrase("order.target.entity", kind=kind, id=ref.id)
        if ref.id
        else phrase("order.target.new", kind=kind)
    )


def _fields(order: UpdateEntity) -> Value:
    fields = tuple(f"{name} = {value}" for name, value in order.fields.items())
    return phrase("order.part.fields", fields=fields) if fields else ""
