"""What amoCRM's good answers carry, as values of `crm/port.py`. Pure.

A row needs little more than its id: everything else that cannot be read costs itself and is noted (`Node.faults`).
Raises CrmUnreadable naming the field where nothing can be made of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from crm.amocrm.fields import Node, field_values
from crm.amocrm.tables import (
    CALL_NOTES,
    CLOSED_STAGES,
    KIND_OF_PLURAL,
    UNSORTED_STAGE_TYPE,
    WEBHOOK_SETTINGS,
)
from crm.port import (
    CrmAccount,
    CrmEntity,
    CrmField,
    CrmNote,
    CrmTask,
    CrmUser,
    CrmWebhook,
    Pipeline,
    Stage,
)
from routing.client import EntityKind

R = TypeVar("R")

LEAST_DIGITS = 7  # metadata of a lead may name a PBX where a number belongs
LONGEST_NAME = 1000


def account(answer: Node) -> CrmAccount:
    types = answer.each("_embedded.task_types", _task_type)
    return CrmAccount(
        id=answer.maybe("id", Node.id, ""),
        name=answer.maybe("name", Node.text_or_none, None) or "",
        time_zone=answer.maybe("_embedded.datetime_settings.timezone", Node.text_or_none, None),
        is_unsorted_on=answer.maybe("is_unsorted_on", _is_on, False),
        are_filters_on=answer.maybe("is_api_filter_enabled", _is_on, False),
        task_types=dict(types),
    )


def _is_on(node: Node) -> bool:
    return node.flag(default=False)


def _task_type(node: Node) -> tuple[str, str]:
    return node.get("id").id(), node.maybe("code", Node.text_or_none, None) or node.get("name").text()


def user(node: Node) -> CrmUser:
    """One whose rights cannot be read is active: calls still reach whom the CRM lists."""
    return CrmUser(
        id=node.get("id").id(),
        name=node.maybe("name", Node.text, ""),
        email=node.maybe("email", Node.text_or_none, None) or "",
        is_active=node.maybe("rights.is_active", Node.flag, True),
        is_admin=node.maybe("rights.is_admin", _is_on, False),
        group_id=node.maybe("rights.group_id", Node.id_or_none, None),
    )


def pipeline(node: Node) -> Pipeline:
    return Pipeline(
        id=node.get("id").id(),
        name=node.maybe("name", Node.text, ""),
        is_main=node.maybe("is_main", Node.flag, False),
        is_archived=node.maybe("is_archive", _is_on, False),
        is_unsorted_on=node.maybe("is_unsorted_on", _is_on, False),
        stages=tuple(sorted(node.each("_embedded.statuses", _stage), key=lambda s: s.sort)),
    )


def _stage(node: Node) -> Stage:
    stage_id = node.get("id").id()
    return Stage(
        id=stage_id,
        name=node.maybe("name", Node.text, ""),
        sort=node.maybe("sort", Node.number, 0),
        is_closed=stage_id in CLOSED_STAGES,
        is_unsorted=node.maybe("type", lambda n: n.number(default=0), 0) == UNSORTED_STAGE_TYPE,
        colour=node.maybe("color", Node.text_or_none, None) or "",
    )


def field(node: Node) -> CrmField:
    return CrmField(
        id=node.get("id").id(),
        code=node.maybe("code", Node.text_or_none, None) or None,
        name=node.maybe("name", Node.text, ""),
        type=node.maybe("type", Node.text, "text"),
        choices=dict(node.each("enums", lambda c: (c.get("id").id(), c.get("value").loose_text()))),
    )


def entity_reader(kind: EntityKind) -> Callable[[Node], CrmEntity]:
    return lead if kind == "lead" else lambda node: entity(kind, node)


def entity(kind: EntityKind, node: Node) -> CrmEntity:
    """Return a contact, company or deal. A row of `with=only_deleted` has nothing but its id and times."""
    entity_id = node.get("id").id()
    stage = node.maybe("status_id", Node.id_or_none, None)
    contacts = node.each("_embedded.contacts", _linked)
    return CrmEntity(
        kind=kind,
        id=entity_id,
        name=(node.maybe("name", Node.text_or_none, None) or "")[:LONGEST_NAME],
        numbers=_numbers(node),
        owner_id=node.maybe("responsible_user_id", Node.id_or_none, None),
        created_at=node.maybe("created_at", Node.moment_or_none, None),
        updated_at=node.maybe("updated_at", Node.moment_or_none, None),
        closed_at=node.maybe("closed_at", Node.moment_or_none, None),
        pipeline_id=node.maybe("pipeline_id", Node.id_or_none, None),
        stage_id=stage,
        is_open=stage not in CLOSED_STAGES,
        is_deleted=node.maybe("is_deleted", _is_on, False),
        contact_ids=tuple(id for id, _ in contacts),
        company_ids=tuple(id for id, _ in node.each("_embedded.companies", _linked)),
        deal_ids=tuple(id for id, _ in node.each("_embedded.leads", _linked)),
        main_contact_id=next((id for id, is_main in contacts if is_main), None),
        created_by=node.maybe("created_by", Node.id_or_none, None),
        price=_price(node.get("price")),
        tags=tuple(tag for tag in node.each("_embedded.tags", _tag) if tag),
        fields=field_values(node.get("custom_fields_values").value),
        unread=_unread_names(node),
    )


def _tag(node: Node) -> str:
    return node.maybe("name", Node.loose_text, "")


def _linked(node: Node) -> tuple[str, bool]:
    """(id, is it the main one)."""
    return node.get("id").id(), node.maybe("is_main", _is_on, False)


def _unread_names(node: Node) -> frozenset[str]:
    """Return what of an entity could not be read, as `CrmEntity` names it."""
    return frozenset(name for fault in node.faults for name in _names_of(fault.field))


def _names_of(path: str) -> tuple[str, ...]:
    first, _, rest = path.partition(".")
    return _OURS.get(rest.partition(".")[0] if first == "_embedded" and rest else first, ())


_OURS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "custom_fields_values": ("numbers",),
    "responsible_user_id": ("owner_id",),
    "created_at": ("created_at",),
    "updated_at": ("updated_at",),
    "closed_at": ("closed_at",),
    "pipeline_id": ("pipeline_id", "is_open"),
    "status_id": ("stage_id", "is_open"),
    "contacts": ("contact_ids", "main_contact_id"),
    "companies": ("company_ids",),
    "_embedded": ("contact_ids", "company_ids", "main_contact_id"),
}


def _price(node: Node) -> int | None:
    """None for what is no price: nobody is kept from reading the deal by it."""
    return node.value if isinstance(node.value, int) and not isinstance(node.value, bool) else None


def lead(node: Node) -> CrmEntity:
    """Return a row of Unsorted. owner_id here is the user named in its metadata; the embedded deal is read apart.

    Caller and callee are told swapped by some versions (public issue), so both numbers of the metadata are kept. Of mail
    and chats `from` is an object, which holds no number.
    """
    uid = node.get("uid").id()
    deals = node.each("_embedded.leads", _linked)
    created_at = node.maybe("created_at", Node.moment_or_none, None)
    subject = node.maybe("metadata.subject", Node.loose_text, "")
    return CrmEntity(
        kind="lead",
        id=uid,
        name=(subject or node.maybe("source_name", Node.loose_text, ""))[:LONGEST_NAME],
        numbers=_metadata_numbers(node),
        owner_id=_metadata_owner(node),
        created_at=created_at,
        updated_at=node.maybe("updated_at", Node.moment_or_none, None) or created_at,
        pipeline_id=node.maybe("pipeline_id", Node.id_or_none, None),
        contact_ids=tuple(id for id, _ in node.each("_embedded.contacts", _linked)),
        company_ids=tuple(id for id, _ in node.each("_embedded.companies", _linked)),
        deal_id=deals[0][0] if deals else None,
        source_uid=node.maybe("source_uid", Node.loose_text, "") or None,
    )


def _numbers(node: Node) -> tuple[str, ...]:
    """Values of the field with the code PHONE, as stored. The field's name is localised, its id differs by account."""
    of_fields = node.each("custom_fields_values", _phone_values)
    return tuple(text for values in of_fields for text in values if text)


def _phone_values(field: Node) -> list[str]:
    if field.get("field_code").value != "PHONE":
        return []
    return [text.strip() for text in field.each("values", lambda value: value.get("value").loose_text())]


def _metadata_numbers(node: Node) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("from", "phone"):
        text = node.maybe(f"metadata.{key}", _address, "").strip()
        digits = sum(c.isdigit() for c in text)
        if digits >= LEAST_DIGITS and text not in found:
            found.append(text)
    return tuple(found)


def _address(node: Node) -> str:
    """Who wrote a mail or a message stands here as an object."""
    return "" if isinstance(node.value, Mapping) else node.loose_text()


def _metadata_owner(node: Node) -> str | None:
    """call_responsible is a user id, a number or a name: only a short whole number can be a user's id."""
    text = node.maybe("metadata.call_responsible", Node.loose_text, "")
    return text if text.isascii() and text.isdigit() and len(text) <= 10 and text != "0" else None


def note(node: Node, kind: EntityKind) -> CrmNote:
    type = node.maybe("note_type", Node.text, "")
    is_call = type in CALL_NOTES
    uniq = node.maybe("params.uniq", Node.loose_text, "") if is_call else ""
    return CrmNote(
        id=node.get("id").id(),
        target_kind=kind,
        target_id=node.get("entity_id").id(),
        uniq=uniq or None,
        text=(text := node.maybe("params.text", Node.loose_text, "") or None),
        created_at=node.maybe("created_at", Node.moment_or_none, None),
        is_whole=not node.faults and bool(uniq or text or type not in ("", "common", *CALL_NOTES)),
    )


def _lost_note(id: str, kind: EntityKind) -> CrmNote:
    return CrmNote(
        id=id, target_kind=kind, target_id="", uniq=None, text=None, created_at=None, is_whole=False
    )


def _lost_task(id: str) -> CrmTask:
    return CrmTask(
        id=id,
        target_kind=None,
        target_id=None,
        owner_id=None,
        text="",
        due_at=_EPOCH,
        is_completed=False,
        created_at=None,
        is_whole=False,
    )


def task(node: Node) -> CrmTask:
    """One without a date that can be read is due: it has been there since it was made."""
    target = node.maybe("entity_id", Node.id_or_none, None)
    kind = KIND_OF_PLURAL.get(node.maybe("entity_type", Node.text_or_none, None) or "")
    created_at = node.maybe("created_at", Node.moment_or_none, None)
    updated_at = node.maybe("updated_at", Node.moment_or_none, None)
    return CrmTask(
        id=node.get("id").id(),
        target_kind=kind if target else None,
        target_id=target if kind else None,
        owner_id=node.maybe("responsible_user_id", Node.id_or_none, None),
        text=(text := node.maybe("text", Node.text_or_none, None) or ""),
        due_at=node.maybe("complete_till", Node.moment, None) or created_at or updated_at or _EPOCH,
        is_completed=node.maybe("is_completed", Node.flag, False),
        created_at=created_at,
        updated_at=updated_at,
        is_whole=bool(text) and bool(target) == bool(kind) and not node.faults,
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RowReader(Generic[R]):
    """read: a row. lost: what stands for a row of which nothing could be made, by its id."""

    read: Callable[[Node], R]
    lost: Callable[[str], R]


TASKS = RowReader(task, _lost_task)


def notes_of(kind: EntityKind) -> RowReader[CrmNote]:
    return RowReader(lambda node: note(node, kind), lambda id: _lost_note(id, kind))


def webhook(node: Node) -> CrmWebhook:
    """One whose settings cannot be read lacks nothing: it is not for us to overwrite what we do not understand."""
    settings = node.maybe("settings", lambda told: [name.text() for name in told.items()], None)
    lacks = frozenset() if settings is None else frozenset(WEBHOOK_SETTINGS) - frozenset(settings)
    return CrmWebhook(
        destination=node.get("destination").text(),
        is_disabled=node.maybe("disabled", _is_on, False),
        lacks=lacks,
    )
