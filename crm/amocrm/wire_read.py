"""What amoCRM's good answers carry, as values of `crm/port.py`. Pure; raises CrmUnreadable naming the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from crm.amocrm.fields import Node, field_values
from crm.amocrm.tables import (
    CALL_NOTES,
    CLOSED_STAGES,
    EVENT_KIND,
    KIND_OF_PLURAL,
    KIND_OF_SINGULAR,
    UNSORTED_STAGE_TYPE,
)
from crm.errors import CrmUnreadable
from crm.port import (
    CrmAccount,
    CrmEntity,
    CrmEvent,
    CrmField,
    CrmNote,
    CrmTask,
    CrmUser,
    Page,
    Pipeline,
    Stage,
)
from routing.client import EntityKind

T = TypeVar("T")
LEAST_DIGITS = 7  # metadata of a lead may name a PBX where a number belongs


def page_of(answer: Node | None, plural: str, read: Callable[[Node], T]) -> Page[T]:
    """A page of a list: the end is the missing `next`, and an empty list has no body at all (204)."""
    if answer is None:
        return Page(items=(), has_next=False)
    items = tuple(read(item) for item in answer.at("_embedded", plural).items())
    return Page(items=items, has_next=not answer.at("_links", "next", "href").is_absent)


def account(answer: Node) -> CrmAccount:
    types = answer.at("_embedded", "task_types").items()
    return CrmAccount(
        id=answer.get("id").id(),
        name=answer.get("name").text(),
        time_zone=answer.at("_embedded", "datetime_settings", "timezone").text_or_none(),
        is_unsorted_on=answer.get("is_unsorted_on").flag(default=False),
        are_filters_on=answer.get("is_api_filter_enabled").flag(default=False),
        task_types={t.get("id").id(): t.get("code").text_or_none() or t.get("name").text() for t in types},
    )


def user(node: Node) -> CrmUser:
    rights = node.get("rights")
    return CrmUser(
        id=node.get("id").id(),
        name=node.get("name").text(),
        email=node.get("email").text_or_none() or "",
        is_active=rights.get("is_active").flag(),
        is_admin=rights.get("is_admin").flag(default=False),
        group_id=None if rights.get("group_id").is_absent else rights.get("group_id").id(),
    )


def pipeline(node: Node) -> Pipeline:
    return Pipeline(
        id=node.get("id").id(),
        name=node.get("name").text(),
        is_main=node.get("is_main").flag(),
        is_archived=node.get("is_archive").flag(default=False),
        is_unsorted_on=node.get("is_unsorted_on").flag(default=False),
        stages=tuple(sorted(map(_stage, node.at("_embedded", "statuses").items()), key=lambda s: s.sort)),
    )


def _stage(node: Node) -> Stage:
    stage_id = node.get("id").id()
    return Stage(
        id=stage_id,
        name=node.get("name").text(),
        sort=node.get("sort").number(),
        is_closed=stage_id in CLOSED_STAGES,
        is_unsorted=node.get("type").number(default=0) == UNSORTED_STAGE_TYPE,
    )


def field(node: Node) -> CrmField:
    choices = {c.get("id").id(): c.get("value").loose_text() for c in node.get("enums").items()}
    return CrmField(
        id=node.get("id").id(),
        code=node.get("code").text_or_none() or None,
        name=node.get("name").text(),
        type=node.get("type").text(),
        choices=choices,
    )


def entity_reader(kind: EntityKind) -> Callable[[Node], CrmEntity]:
    return lead if kind == "lead" else lambda node: entity(kind, node)


def entity(kind: EntityKind, node: Node) -> CrmEntity:
    """A contact, company or deal. A row of `with=only_deleted` has nothing but its id and times."""
    stage = node.get("status_id").id_or_none()
    embedded = node.get("_embedded")
    contacts = list(embedded.at("contacts").items())
    return CrmEntity(
        kind=kind,
        id=node.get("id").id(),
        name=node.get("name").text_or_none() or "",
        numbers=_numbers(node.get("custom_fields_values")),
        owner_id=node.get("responsible_user_id").id_or_none(),
        created_at=node.get("created_at").moment_or_none(),
        updated_at=node.get("updated_at").moment_or_none(),
        closed_at=node.get("closed_at").moment_or_none(),
        pipeline_id=node.get("pipeline_id").id_or_none(),
        stage_id=stage,
        is_open=stage not in CLOSED_STAGES,
        is_deleted=node.get("is_deleted").flag(default=False),
        contact_ids=tuple(c.get("id").id() for c in contacts),
        company_ids=tuple(c.get("id").id() for c in embedded.at("companies").items()),
        deal_ids=tuple(c.get("id").id() for c in embedded.at("leads").items()),
        main_contact_id=next(
            (c.get("id").id() for c in contacts if c.get("is_main").flag(default=False)), None
        ),
        created_by=node.get("created_by").id_or_none(),
        price=_price(node.get("price")),
        fields=field_values(node.get("custom_fields_values").value),
    )


def _price(node: Node) -> int | None:
    """None for what is no price: nobody is kept from reading the deal by it."""
    return node.value if isinstance(node.value, int) and not isinstance(node.value, bool) else None


def lead(node: Node) -> CrmEntity:
    """A row of Unsorted. owner_id here is the user named in its metadata; the embedded deal is read apart.

    Caller and callee are told swapped by some versions (public issue), so both numbers of the metadata are kept.
    """
    metadata = node.get("metadata")
    deals = [d.get("id").id() for d in node.at("_embedded", "leads").items()]
    created_at = node.get("created_at").moment_or_none()
    return CrmEntity(
        kind="lead",
        id=node.get("uid").id(),
        name=metadata.at("subject").loose_text() or node.get("source_name").loose_text(),
        numbers=_metadata_numbers(metadata),
        owner_id=_metadata_owner(metadata),
        created_at=created_at,
        updated_at=node.get("updated_at").moment_or_none() or created_at,
        pipeline_id=node.get("pipeline_id").id_or_none(),
        contact_ids=tuple(c.get("id").id() for c in node.at("_embedded", "contacts").items()),
        company_ids=tuple(c.get("id").id() for c in node.at("_embedded", "companies").items()),
        deal_id=deals[0] if deals else None,
        source_uid=node.get("source_uid").loose_text() or None,
    )


def _numbers(fields: Node) -> tuple[str, ...]:
    """Values of the field with the code PHONE, as stored. The field's name is localised, its id differs by account."""
    return tuple(
        text
        for item in fields.items()
        if item.get("field_code").value == "PHONE"
        for value in item.get("values").items()
        if (text := value.get("value").loose_text().strip())
    )


def _metadata_numbers(metadata: Node) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("from", "phone"):
        text = metadata.at(key).loose_text().strip()
        digits = sum(c.isdigit() for c in text)
        if digits >= LEAST_DIGITS and not any(c.isalpha() for c in text) and text not in found:
            found.append(text)
    return tuple(found)


def _metadata_owner(metadata: Node) -> str | None:
    """call_responsible is a user id, a number or a name: only a short whole number can be a user's id."""
    text = metadata.at("call_responsible").loose_text()
    return text if text.isascii() and text.isdigit() and len(text) <= 10 and text != "0" else None


def note(node: Node, kind: EntityKind) -> CrmNote:
    params = node.get("params")
    is_call = node.get("note_type").text() in CALL_NOTES
    return CrmNote(
        id=node.get("id").id(),
        target_kind=kind,
        target_id=node.get("entity_id").id(),
        uniq=(params.at("uniq").loose_text() or None) if is_call else None,
        text=params.at("text").loose_text() or None,
        created_at=node.get("created_at").moment_or_none(),
    )


def task(node: Node) -> CrmTask:
    target = node.get("entity_id").id_or_none()
    kind = KIND_OF_PLURAL.get(node.get("entity_type").text_or_none() or "")
    return CrmTask(
        id=node.get("id").id(),
        target_kind=kind if target else None,
        target_id=target if kind else None,
        owner_id=node.get("responsible_user_id").id_or_none(),
        text=node.get("text").text_or_none() or "",
        due_at=node.get("complete_till").moment(),
        is_completed=node.get("is_completed").flag(),
        created_at=node.get("created_at").moment_or_none(),
        updated_at=node.get("updated_at").moment_or_none(),
    )


def event(node: Node) -> CrmEvent:
    what = node.get("entity_type").text()
    type_ = node.get("type").text()
    aspect, before, after = _event_values(type_, node)
    return CrmEvent(
        id=node.get("id").id(),
        kind=EVENT_KIND.get(type_, "other"),
        at=node.get("created_at").moment(),
        entity_kind="task" if what == "task" else KIND_OF_SINGULAR.get(what, "other"),
        entity_id=node.get("entity_id").id(),
        by_user=node.get("created_by").id_or_none(),
        other=_other_end(node.get("value_after")),
        aspect=aspect,
        before=before,
        after=after,
    )


def _other_end(values: Node) -> tuple[EntityKind, str] | None:
    for value in values.items():
        for verb in ("link", "unlink"):
            far = value.at(verb, "entity")
            kind = KIND_OF_SINGULAR.get(far.at("type").loose_text())
            if kind is not None:
                return kind, far.get("id").id()
    return None


def webhook(node: Node) -> tuple[str, bool]:
    """(destination, is it disabled)."""
    return node.get("destination").text(), node.get("disabled").flag(default=False)


_Values = tuple[str | None, str | None, str | None]


def _event_values(type_: str, node: Node) -> _Values:
    """(aspect where the event's kind does not name it, value before, value after).

    A value that cannot be read is None: an event that tells less is better than a feed that stands still.
    """
    if type_ in ("entity_tag_added", "entity_tag_deleted"):
        return _tag(type_, node)
    aspect, read = _READERS.get(type_, (None, None))
    if read is None:
        return None, None, None
    return aspect, _read(read, node.get("value_before")), _read(read, node.get("value_after"))


def _tag(type_: str, node: Node) -> _Values:
    name = _read(lambda value: value.at("tag", "name").loose_text(), node.get("value_after")) or _read(
        lambda value: value.at("tag", "name").loose_text(), node.get("value_before")
    )
    was, now = ("0", "1") if type_ == "entity_tag_added" else ("1", "0")
    return f"tag:{name or '?'}", was, now


def _read(read: Callable[[Node], str | None], values: Node) -> str | None:
    try:
        first = next(values.items(), None)
        return None if first is None else read(first)
    except CrmUnreadable:
        return None


def _stage_value(value: Node) -> str | None:
    stage = value.at("lead_status")
    pipeline_id, stage_id = stage.at("pipeline_id").id_or_none(), stage.at("id").id_or_none()
    return f"{pipeline_id}/{stage_id}" if pipeline_id and stage_id else None


_READERS: dict[str, tuple[str | None, Callable[[Node], str | None]]] = {
    "lead_status_changed": (None, _stage_value),
    "entity_responsible_changed": (None, lambda value: value.at("responsible_user", "id").id_or_none()),
    "sale_field_changed": ("price", lambda value: value.at("sale_field_value", "sale").loose_text() or None),
    "name_field_changed": ("name", lambda value: value.at("name_field_value", "name").loose_text() or None),
    "incoming_chat_message": ("incoming", lambda value: value.at("message", "id").id_or_none()),
    "outgoing_chat_message": ("outgoing", lambda value: value.at("message", "id").id_or_none()),
    "incoming_sms": ("incoming", lambda value: value.at("note", "id").id_or_none()),
    "outgoing_sms": ("outgoing", lambda value: value.at("note", "id").id_or_none()),
}
