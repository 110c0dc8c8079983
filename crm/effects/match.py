"""Is what we ordered there already? Pure comparisons of orders with what the CRM shows, for sends of unknown outcome.

Each takes the things read (newest ids first) and the ids that other effects stand for, and gives an id or None.
The window that is left: a write that the CRM carries out only after the longest time we grant it, and a thing of ours
that a person changed beyond recognition (number, name, text) or deleted before we looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from crm.port import NAME_LENGTH, CrmEntity, CrmNote, CrmTask
from routing.client import Ref
from routing.effects import AddNote, AttachCall, CreateContact, CreateDeal, CreateLead, CreateTask
from routing.numbers.stored import region_of, stored_numbers
from routing.settings import NumberPolicy

CLOCK_SKEW = timedelta(minutes=5)
"""How far the CRM's clock may be from ours."""


def same_number(stored: str, number: str) -> bool:
    """Say whether two are one number. stored: as the CRM keeps it, in any spelling, with others and with notes beside. number: E.164. National spellings
    count as those of the number's own country."""
    return (
        stored == number or number in stored_numbers(stored, NumberPolicy(region=region_of(number))).numbers
    )


def contact(
    order: CreateContact, sent_at: datetime, found: Iterable[CrmEntity], claimed: Collection[str]
) -> str | None:
    """By its number. Whoever made it: it is the client's contact, and the oldest of several is the one to use. One without a
    number by its name, and that it was created when we sent it."""
    if not order.number:
        return _first((e.id for e in found if _is_contact_without_number(order, sent_at, e)), claimed)
    ids = [
        e.id
        for e in found
        if e.kind == "contact" and not e.is_deleted and any(same_number(n, order.number) for n in e.numbers)
    ]
    return ids[-1] if ids else None


def _is_contact_without_number(order: CreateContact, sent_at: datetime, entity: CrmEntity) -> bool:
    return (
        entity.kind == "contact"
        and not entity.is_deleted
        and not entity.numbers
        and entity.name == order.name[:NAME_LENGTH]
        and _is_from_then(entity.created_at, order.created_at, sent_at)
    )


def deal(
    order: CreateDeal, sent_at: datetime, found: Iterable[CrmEntity], claimed: Collection[str]
) -> str | None:
    """By its contact or company, its name, and that it was created when we sent it (or at the time we asked for)."""

    def is_it(entity: CrmEntity) -> bool:
        return (
            entity.kind == "deal"
            and entity.name == order.name[:NAME_LENGTH]
            and _is_linked(entity, order)
            and _is_from_then(entity.created_at, order.created_at, sent_at)
        )

    return _first((e.id for e in found if is_it(e)), claimed)


def lead(order: CreateLead, found: Iterable[CrmEntity]) -> str | None:
    return next((e.id for e in found if e.kind == "lead" and e.source_uid == order.source_uid), None)


def call_note(order: AttachCall, found: Iterable[CrmNote]) -> str | None:
    return next((note.id for note in found if note.uniq == order.uniq), None)


def note(order: AddNote, sent_at: datetime, found: Iterable[CrmNote], claimed: Collection[str]) -> str | None:
    """By entity and text, written no earlier than we sent it."""

    def is_it(note: CrmNote) -> bool:
        return (
            (note.target_kind, note.target_id) == (order.target.kind, order.target.id)
            and note.text == order.text
            and _is_from_then(note.created_at, None, sent_at)
        )

    return _first((n.id for n in found if is_it(n)), claimed)


def task(
    order: CreateTask, sent_at: datetime, found: Iterable[CrmTask], claimed: Collection[str]
) -> str | None:
    """By entity, text and deadline (whole seconds), created no earlier than we sent it."""
    target = (order.target.kind, order.target.id) if order.target else (None, None)

    def is_it(task: CrmTask) -> bool:
        return (
            (task.target_kind, task.target_id) == target
            and task.text == order.text
            and int(task.due_at.timestamp()) == int(order.due_at.timestamp())
            and _is_from_then(task.created_at, None, sent_at)
        )

    return _first((t.id for t in found if is_it(t)), claimed)


def may_be(
    item: CrmNote | CrmTask, target: Ref | None, sent_at: datetime, read: Collection[CrmNote | CrmTask]
) -> bool:
    """Say whether something that could not be read whole may be what we sent. target: where it would stand, None = anywhere."""
    if item.is_whole or (target and item.target_id and item.target_id != target.id):
        return False
    earliest = sent_at - CLOCK_SKEW
    if item.created_at is not None:
        return item.created_at >= earliest
    return not is_before(item.id, read, earliest)


def is_before(id: str, read: Iterable[CrmEntity | CrmNote | CrmTask], earliest: datetime) -> bool:
    """Say whether the id tells that it was made before then: something with a larger one was."""
    return id.isdigit() and any(
        item.created_at is not None and item.created_at < earliest and int(item.id) > int(id)
        for item in read
        if item.id.isdigit()
    )


def may_be_entity(
    order: CreateContact | CreateDeal | CreateLead, entity: CrmEntity, earliest: datetime
) -> bool:
    """Say whether an entity that is not recognised may be ours for all that: it lacks what ours is recognised by."""
    if entity.created_at is not None and entity.created_at < earliest:
        return False
    if isinstance(order, CreateContact):
        return not entity.numbers and entity.name in ("", order.name[:NAME_LENGTH])
    if isinstance(order, CreateDeal):
        has_name = entity.name == order.name[:NAME_LENGTH]
        has_link = bool(entity.contact_ids or entity.company_ids)
        return (not entity.name and (_is_linked(entity, order) or not has_link)) or (
            has_name and not has_link
        )
    return not entity.source_uid


def is_past(found: Collection[CrmEntity], sent_at: datetime, created_at: datetime | None) -> bool:
    """Nothing on this page can be ours any more, and neither can anything with smaller ids."""
    earliest = min(sent_at, created_at or sent_at) - CLOCK_SKEW
    return all(e.created_at is not None and e.created_at < earliest for e in found)


def has_older(found: Iterable[CrmNote | CrmTask], earliest: datetime) -> bool:
    """Say whether the list reaches back to before then."""
    return any(item.created_at is not None and item.created_at < earliest for item in found)


def _is_linked(entity: CrmEntity, order: CreateDeal) -> bool:
    if order.contact is None:
        return not entity.contact_ids and not entity.company_ids
    linked = entity.company_ids if order.contact.kind == "company" else entity.contact_ids
    return order.contact.id in linked


def _is_from_then(created_at: datetime | None, asked: datetime | None, sent_at: datetime) -> bool:
    if created_at is None:
        return True
    if asked is not None and abs(created_at - asked) < timedelta(seconds=1):
        return True
    return created_at >= sent_at - CLOCK_SKEW


def _first(ids: Iterable[str], claimed: Collection[str]) -> str | None:
    return next((found for found in ids if found not in claimed), None)
