"""One order for the CRM as a short sentence, for dry runs and replays."""

from __future__ import annotations

from routing.client import Ref
from routing.effects import (
    AddNote,
    AttachCall,
    ChangeTask,
    CreateContact,
    CreateDeal,
    CreateLead,
    CreateTask,
    Order,
    ShowCard,
    UpdateEntity,
)
from routing.staff import Staff

KINDS = {
    "create_contact": "contacts created",
    "create_deal": "deals created",
    "create_lead": "incoming leads created",
    "attach_call": "calls attached",
    "add_note": "notes added",
    "create_task": "tasks created",
    "change_task": "tasks changed",
    "update_entity": "entities updated",
    "show_card": "cards shown",
}


def order_in_words(order: Order, staff: Staff) -> str:
    match order:
        case CreateContact():
            return f"create the contact «{order.name}»{_owner(order.owner_id, staff)}{_tags(order.tags)}"
        case CreateDeal():
            where = _place(order.pipeline_id, order.stage_id)
            return f"create the deal «{order.name}»{where}{_owner(order.owner_id, staff)}{_tags(order.tags)}"
        case CreateLead():
            where = _place(order.pipeline_id, None)
            return f"create the incoming lead «{order.name}»{where}{_owner(order.owner_id, staff)}"
        case AttachCall():
            said = f": {order.result}" if order.result else ""
            return f"attach the call to {_target(order.target)} ({order.status}){said}"
        case AddNote():
            return f"add a note to {_target(order.target)}: {order.text}"
        case CreateTask():
            due = order.due_at.isoformat(timespec="minutes")
            return f"create a task{_owner(order.owner_id, staff)}, due {due}: {order.text}"
        case UpdateEntity():
            return f"update {_target(order.target)}{_changes(order)}{_tags(order.tags)}"
        case ShowCard():
            return f"show the card to {len(order.user_ids)}"
        case ChangeTask():
            return "change the task"


def _owner(user_id: str | None, staff: Staff) -> str:
    if user_id is None:
        return ", responsible: nobody"
    person = staff.by_crm_user.get(user_id)
    return f", responsible: {person.name if person else user_id}"


def _place(pipeline_id: str | None, stage_id: str | None) -> str:
    pipeline = f" in pipeline {pipeline_id}" if pipeline_id else ""
    return pipeline + (f" stage {stage_id}" if stage_id else "")


def _tags(tags: tuple[str, ...]) -> str:
    return f", tags: {', '.join(tags)}" if tags else ""


def _target(ref: Ref | None) -> str:
    if ref is None:
        return "what the CRM finds"
    return f"{ref.kind} {ref.id}" if ref.id else f"the new {ref.kind}"


def _changes(order: UpdateEntity) -> str:
    place = _place(order.pipeline_id, order.stage_id).replace(" in ", " to ", 1)
    fields = ", ".join(f"{name} = {value}" for name, value in order.fields.items())
    return place + (f", fields: {fields}" if fields else "")
