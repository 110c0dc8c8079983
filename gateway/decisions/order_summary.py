"""One order for the CRM as a short sentence, for dry runs and replays."""

from __future__ import annotations

from zoneinfo import ZoneInfo

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
from routing.staff import Staff
from routing.texts.catalogue import Phrase, Texts, Value, phrase


def order_in_words(order: Order, staff: Staff, texts: Texts, zone: str) -> str:
    """zone: IANA name of the account's; times are told as its people read their clocks."""
    return texts.say(f"order.{order.do}", **_values(order, staff, ZoneInfo(zone)))


def _values(order: Order, staff: Staff, zone: ZoneInfo) -> dict[str, Value]:
    match order:
        case CreateContact():
            return {
                "name": order.name,
                "owner": _owner(order.owner_id, staff),
                "tags": _tags(order.tags),
            }
        case CreateDeal():
            return {
                "name": order.name,
                "where": _place("pipeline", order.pipeline_id, order.stage_id),
                "owner": _owner(order.owner_id, staff),
                "tags": _tags(order.tags),
            }
        case CreateLead():
            where = _place("pipeline", order.pipeline_id, None)
            return {"name": order.name, "where": where, "owner": _owner(order.owner_id, staff)}
        case AttachCall():
            said = f": {order.result}" if order.result else ""
            return {"target": _target(order.target), "status": order.status, "said": said}
        case AddNote() | ChangeNote():
            return {"target": _target(order.target), "text": order.text}
        case CreateTask():
            due = f"{order.due_at.astimezone(zone):%Y-%m-%d %H:%M}"
            return {"owner": _owner(order.owner_id, staff), "due": due, "text": order.text}
        case UpdateEntity():
            return {
                "target": _target(order.target),
                "place": _place("to-pipeline", order.pipeline_id, order.stage_id),
                "fields": _fields(order),
                "tags": _tags(order.tags),
                "owner": _owner(order.owner_id, staff) if order.owner_id else "",
            }
        case GiveTasks():
            return {"target": _target(order.target), "owner": _owner(order.owner_id, staff)}
        case ShowCard():
            return {"count": len(order.user_ids)}
        case CallClient():
            person = staff.by_id.get(order.employee_id)
            name = phrase("order.part.owner", name=person.name if person else order.employee_id)
            return {"number": order.number, "owner": name}
        case ChangeTask():
            return {}


def _owner(user_id: str | None, staff: Staff) -> Phrase:
    if user_id is None:
        return phrase("order.part.nobody")
    person = staff.by_crm_user.get(user_id)
    return phrase("order.part.owner", name=person.name if person else user_id)


def _place(name: str, pipeline_id: str | None, stage_id: str | None) -> Value:
    pipeline: Value = phrase(f"order.part.{name}", pipeline=pipeline_id) if pipeline_id else ""
    stage: Value = phrase("order.part.stage", stage=stage_id) if stage_id else ""
    return phrase("order.part.place", pipeline=pipeline, stage=stage)


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
