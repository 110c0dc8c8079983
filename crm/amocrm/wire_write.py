"""Orders as amoCRM wants them, and what its echoes say was written. Pure.

Every item carries a `request_id`: its place in the batch, which is also what amoCRM puts where it ignores ours.
amoCRM refuses keys it does not know and explicit nulls, so what is not set is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from crm.amocrm.fields import Node
from crm.amocrm.tables import CALL_STATUS, KIND_OF_SINGULAR, NOTE_TYPE_OF_CALL, PLURAL, TASK_TYPE
from crm.amocrm.wire import API, Request
from crm.errors import CrmUnreadable
from crm.port import NAME_LENGTH
from routing.client import EntityKind, Ref
from routing.effects import (
    AddNote,
    AttachCall,
    ChangeNote,
    ChangeTask,
    CreateContact,
    CreateDeal,
    CreateLead,
    CreateTask,
    NoteForm,
    ShowCard,
    UpdateEntity,
)

Item = dict[str, Any]


class Unwritable(Exception):
    """This order cannot be said in amoCRM's words. field: which value; code: as in `crm.port.Refused`; rest: the item without
    that value, where it can do without."""

    def __init__(self, field: str, why: str, code: str = "InvalidType", rest: Item | None = None) -> None:
        super().__init__(why)
        self.field, self.code, self.rest = field, code, rest


def whole(text: str | None, field: str) -> int:
    """Return an id as the number that amoCRM wants. Raises Unwritable."""
    if text is None or not text.isascii() or not text.isdigit():
        raise Unwritable(field, f"{text!r} is not an id of amoCRM")
    return int(text)


def contact(order: CreateContact, types: Mapping[str, str] | None = None) -> Item:
    """types: of custom fields, by id and by code, where they are known: some types take no text."""
    phone = {"field_code": "PHONE", "values": [{"value": order.number, "enum_code": "WORK"}]}
    fields = [*([phone] if order.number else []), *_fields(order.fields, types)]
    return _without_none(
        name=order.name[:NAME_LENGTH],
        responsible_user_id=_owner(order.owner_id),
        custom_fields_values=fields or None,
        tags_to_add=_tags(order.tags),
        created_at=unix(order.created_at) if order.created_at else None,
    )


def deal(order: CreateDeal, types: Mapping[str, str] | None = None, contact: Item | None = None) -> Item:
    """contact: the new contact to create along with it (`/leads/complex`); else the order's own, by its id."""
    return _without_none(
        name=order.name[:NAME_LENGTH],
        responsible_user_id=_owner(order.owner_id),
        pipeline_id=_optional(order.pipeline_id, "pipeline_id"),
        status_id=_optional(order.stage_id, "status_id"),
        custom_fields_values=_fields(order.fields, types) or None,
        tags_to_add=_tags(order.tags),
        created_at=unix(order.created_at) if order.created_at else None,
        _embedded={"contacts": [contact]} if contact is not None else _links_of_deal(order.contact),
    )


def lead(order: CreateLead, types: Mapping[str, str] | None = None) -> Item:
    """One item of `/leads/unsorted/sip`. The caller's number stands in both `from` and `phone`: some views swap them."""
    called_at = unix(order.called_at)
    metadata = _without_none(
        phone=order.number,
        call_responsible=_owner(order.owner_id),
        called_at=called_at,
        duration=order.talk_seconds,
        link=order.recording or "",
        service_code="callmatrix",
        uniq=order.source_uid,
        is_call_event_needed=False,  # the call itself is attached by an order of its own
    )
    metadata["from"] = order.number
    new_deal = _without_none(
        name=order.name[:NAME_LENGTH],
        responsible_user_id=_owner(order.owner_id),
        custom_fields_values=_fields(order.fields, types) or None,
        tags_to_add=_tags(order.tags),
    )
    person = contact(CreateContact(name=order.contact_name, number=order.number, owner_id=order.owner_id))
    return _without_none(
        source_uid=order.source_uid,
        source_name=order.source_name,
        pipeline_id=_optional(order.pipeline_id, "pipeline_id"),
        created_at=called_at,
        metadata=metadata,
        _embedded={"leads": [new_deal], "contacts": [person]},
    )


def call_note(order: AttachCall, target_id: str, *, source: str, takes_dates: bool) -> Item:
    """Return a call note. created_by must equal responsible_user_id for the CRM's statistics per employee [vendor docs]."""
    owner = _owner(order.owner_id)
    params = _without_none(
        uniq=order.uniq,
        duration=order.talk_seconds,
        source=source,
        link=order.recording or None,
        phone=order.number,
        call_responsible=owner if owner is not None else order.answered_by,
        call_status=CALL_STATUS[order.status],
        call_result=order.result or None,
    )
    return _without_none(
        entity_id=whole(target_id, "entity_id"),
        note_type=_call_note_type(order),
        params=params,
        created_by=owner,
        responsible_user_id=owner,
        created_at=unix(order.at) if takes_dates else None,
    )


def call(order: AttachCall, *, source: str) -> Item:
    """One item of POST /calls, which finds the entity by the number's last digits."""
    _call_note_type(order)
    owner = _owner(order.owner_id)
    return _without_none(
        direction=order.direction,
        duration=order.talk_seconds,
        source=source,
        phone=order.number,
        uniq=order.uniq,
        link=order.recording or None,
        call_status=CALL_STATUS[order.status],
        call_result=order.result or None,
        call_responsible=owner if owner is not None else order.answered_by,
        created_by=owner,
        responsible_user_id=owner,
        created_at=unix(order.at),
    )


_NOTE_TYPES: Mapping[NoteForm, str] = {"service": "extended_service_message"}
"""Of those that the CRM calls otherwise."""


def plain_note(order: AddNote, target_id: str, *, source: str, takes_dates: bool) -> Item:
    """Return a note. One that a robot of the account might take for a client's or an employee's starts none: an SMS would answer
    itself for ever."""
    owner = _owner(order.owner_id)
    return _without_none(
        entity_id=whole(target_id, "entity_id"),
        note_type=_NOTE_TYPES.get(order.form, order.form),
        params=_without_none(text=order.text, phone=order.number, service=_service_of(order.form, source)),
        created_by=owner,
        responsible_user_id=owner,
        created_at=unix(order.at) if takes_dates and order.at is not None else None,
        is_need_to_trigger_digital_pipeline=None if order.form == "common" else False,
    )


def notes_path(kind: EntityKind) -> str:
    """Return where their notes are written; those of a lead stand on the deal inside it."""
    return f"/{PLURAL['deal' if kind == 'lead' else kind]}/notes"


def note_change(note_id: str, order: ChangeNote, target_id: str, *, source: str) -> Item:
    """Name the card too: without it the CRM may refuse the change [one client's word; the documentation asks for no more than
    the note's id]."""
    return {
        "id": whole(note_id, "id"),
        "entity_id": whole(target_id, "entity_id"),
        "note_type": _NOTE_TYPES.get(order.form, order.form),
        "params": _without_none(text=order.text, service=_service_of(order.form, source)),
    }


def _service_of(form: NoteForm, source: str) -> str | None:
    """Return what the CRM shows as the author of a note that no person wrote."""
    return source if form == "service" else None


def task(order: CreateTask, target: tuple[EntityKind, str] | None, types: Mapping[str, str]) -> Item:
    """types: task types of the account, id -> code or name."""
    linked = {"entity_id": whole(target[1], "entity_id"), "entity_type": PLURAL[target[0]]} if target else {}
    item = _without_none(
        text=order.text,
        complete_till=unix(order.due_at),
        responsible_user_id=_owner(order.owner_id),
        **linked,
    )
    try:
        return {**item, "task_type_id": _task_type(order.type, types)}
    except Unwritable as err:  # a task of the CRM's usual type is better than none
        raise Unwritable(err.field, str(err), err.code, rest=item) from err


def task_change(task_id: str, order: ChangeTask) -> Item:
    return _without_none(
        id=whole(task_id, "id"),
        text=order.text,
        responsible_user_id=_owner(order.owner_id),
        complete_till=unix(order.due_at) if order.due_at else None,
        is_completed=order.is_completed,
        result={"text": order.result} if order.result else None,
    )


def change(order: UpdateEntity, types: Mapping[str, str] | None = None) -> Item:
    """Name changed keys only: echoing a whole object back fails where its owner has been deactivated [public issues].
    updated_by 0 is a robot: what is given away by hundreds must not look like a person's work."""
    if order.target.kind == "lead":
        raise Unwritable(
            "target", "a lead of Unsorted cannot be changed before it is accepted", "unsupported"
        )
    return _without_none(
        id=whole(order.target.id, "id"),
        responsible_user_id=_owner(order.owner_id),
        updated_by=0 if order.owner_was and order.target.kind == "deal" else None,
        pipeline_id=_optional(order.pipeline_id, "pipeline_id"),
        status_id=_optional(order.stage_id, "status_id"),
        custom_fields_values=_fields(order.fields, types) or None,
        tags_to_add=_tags(order.tags),
    )


def card(order: ShowCard) -> Request:
    shown = _without_none(
        type="phone_call",
        phone_number=order.number,
        users=[whole(user, "users") for user in order.user_ids] or None,
    )
    return Request(method="POST", path="/api/v2/events", body={"add": [shown]})


def batch(method: Literal["POST", "PATCH"], path: str, items: Sequence[Item]) -> Request:
    """One request for all items, each with its place as request_id."""
    body = [{**item, "request_id": str(place)} for place, item in enumerate(items)]
    return Request(method=method, path=f"{API}{path}", body=body)


# --- echoes ---------------------------------------------------------------------------------------------------------


def created_ids(answer: Node | None, plural: str) -> dict[int, str]:
    """place in the batch -> id of what exists now."""
    if answer is None:
        return {}
    return {
        _place(item.get("request_id")): _made(item.get("id"))
        for item in answer.at("_embedded", plural).items()
    }


def created_leads(answer: Node | None) -> dict[int, tuple[str, str | None]]:
    """Echo of `/leads/unsorted/…`: place -> (uid, the deal inside it)."""
    found: dict[int, tuple[str, str | None]] = {}
    for item in answer.at("_embedded", "unsorted").items() if answer is not None else ():
        deals = [_made(deal.get("id")) for deal in item.at("_embedded", "leads").items()]
        found[_place(item.get("request_id"))] = item.get("uid").id(), deals[0] if deals else None
    return found


def created_pairs(answer: Node | None) -> dict[int, tuple[str, str | None]]:
    """Echo of `/leads/complex`, a bare array: place -> (deal, contact). Merged deals bring several request_ids."""
    found: dict[int, tuple[str, str | None]] = {}
    for item in answer.items() if answer is not None else ():
        contact = item.get("contact_id")
        ids = _made(item.get("id")), _made(contact) if contact.id_or_none() else None
        for request_id in item.get("request_id").items():
            found[_place(request_id)] = ids
    return found


def matched_calls(answer: Node | None) -> dict[int, tuple[str, EntityKind | None, str]]:
    """Echo of POST /calls: place -> (note, kind and id of the entity that it was put on)."""
    found: dict[int, tuple[str, EntityKind | None, str]] = {}
    for item in answer.at("_embedded", "calls").items() if answer is not None else ():
        kind = KIND_OF_SINGULAR.get(item.get("entity_type").text())
        found[_place(item.get("request_id"))] = _made(item.get("id")), kind, _made(item.get("entity_id"))
    return found


def updated_ids(answer: Node | None, plural: str) -> set[str]:
    """Ids that the echo of a PATCH names; most kinds send no request_id back."""
    if answer is None:
        return set()
    return {item.get("id").id() for item in answer.at("_embedded", plural).items()}


def unix(at: datetime) -> int:
    """Whole Unix seconds. at: aware."""
    if at.tzinfo is None:
        raise ValueError("times are aware UTC")
    return int(at.timestamp())


def _made(node: Node) -> str:
    """Return the id of something that was made: a number, or nobody could be told of it later."""
    id = node.id()
    if not id.isdigit():
        raise node.bad("the number of what was made")
    return id


def _place(node: Node) -> int:
    text = node.loose_text()
    if not text.isascii() or not text.isdigit():
        raise CrmUnreadable(f"{node.path}: the place of an item expected, got {text!r}", node.path)
    return int(text)


def _without_none(**values: Any) -> Item:
    return {key: value for key, value in values.items() if value is not None}


def _optional(text: str | None, field: str) -> int | None:
    return None if text is None else whole(text, field)


def _owner(user_id: str | None) -> int | None:
    return _optional(user_id, "responsible_user_id")


def _tags(names: Sequence[str]) -> list[Item] | None:
    return [{"name": name} for name in names] or None


def _links_of_deal(ref: Ref | None) -> Item | None:
    if ref is None:
        return None
    if ref.kind not in ("contact", "company"):
        raise Unwritable("contact", f"a deal is linked to a contact or a company, not to a {ref.kind}")
    entity_id = whole(ref.id, "contact")
    if ref.kind == "company":
        return {"companies": [{"id": entity_id}]}
    return {"contacts": [{"id": entity_id, "is_main": True}]}


def _call_note_type(order: AttachCall) -> str:
    note_type = NOTE_TYPE_OF_CALL.get(order.direction)
    if note_type is None:
        raise Unwritable(
            "direction", f"a call that is {order.direction} has no place in the CRM", "unsupported"
        )
    return note_type


def _task_type(name: str, types: Mapping[str, str]) -> int:
    if name in TASK_TYPE:
        return TASK_TYPE[name]
    found = next((type_id for type_id, said in types.items() if said.lower() == name.lower()), None)
    if found is None and not name.isdigit():
        raise Unwritable("task_type_id", f"the account has no task type {name!r}", "NotSupportedChoice")
    return whole(found or name, "task_type_id")


def _fields(values: Mapping[str, str], types: Mapping[str, str] | None) -> list[Item]:
    """Keys are field ids (digits) or codes (UTM_SOURCE …)."""
    return [_field(key, value, (types or {}).get(key)) for key, value in values.items()]


def _field(key: str, value: str, type_: str | None) -> Item:
    name: Item = {"field_id": int(key)} if key.isdigit() else {"field_code": key}
    return {**name, "values": [{"value": _typed(value, type_)}]}


def _typed(value: str, type_: str | None) -> str | bool | int:
    if type_ == "checkbox":
        return value.strip().lower() in ("1", "true", "yes", "да")
    if type_ in ("date", "date_time", "birthday") and value.isdigit():
        return int(value)
    return value
