"""Rows of amoCRM's feed of events, as values of `crm/port.py`. Pure; raises CrmUnreadable naming the field."""

from __future__ import annotations

from collections.abc import Callable

from crm.amocrm.fields import Node
from crm.amocrm.tables import EVENT_KIND, KIND_OF_SINGULAR
from crm.errors import CrmUnreadable
from crm.port import CrmEvent
from routing.client import EntityKind

LONGEST_TAG = 255  # stands in an index of the database


def event(node: Node) -> CrmEvent:
    """One that does not say what it is about tells nothing to anybody, and is kept out of nobody's way."""
    what, entity_id = node.maybe("entity_type", Node.text, ""), node.maybe("entity_id", Node.id_or_none, None)
    type_ = node.maybe("type", Node.text, "")
    aspect, before, after = _event_values(type_, node)
    kind = "task" if what == "task" else KIND_OF_SINGULAR.get(what, "other")
    return CrmEvent(
        id=node.get("id").id(),
        kind=EVENT_KIND.get(type_, "other"),
        at=node.get("created_at").moment(),
        entity_kind=kind if entity_id else "other",  # type: ignore[arg-type]
        entity_id=entity_id or "",
        by_user=node.maybe("created_by", Node.id_or_none, None),
        other=_other_end(node),
        aspect=aspect,
        before=before,
        after=after,
    )


def entity_of_event(node: Node) -> tuple[EntityKind, str] | None:
    """Return what an event is about of which nothing else could be made."""
    try:
        kind = KIND_OF_SINGULAR.get(node.get("entity_type").text())
        return (kind, node.get("entity_id").id()) if kind else None
    except CrmUnreadable:
        return None


def _other_end(node: Node) -> tuple[EntityKind, str] | None:
    return next((end for end in node.each("value_after", _far_end) if end is not None), None)


def _far_end(value: Node) -> tuple[EntityKind, str] | None:
    for verb in ("link", "unlink"):
        far = value.at(verb, "entity")
        kind = KIND_OF_SINGULAR.get(far.at("type").loose_text())
        if kind is not None:
            return kind, far.get("id").id()
    return None


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
    return f"tag:{(name or '?')[:LONGEST_TAG]}", was, now


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
