"""A batch of effects as one request of the port, and what its answer means for the directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm.effects.batching import COMPLEX
from crm.effects.match import CLOCK_SKEW
from crm.effects.model import StoredEffect
from crm.lane import Lane
from crm.port import Crm, CrmEntity, DealWithContact, ItemOutcome, Keyed, Refused, Written
from routing.client import EntityKind
from routing.effects import ChangeTask, CreateContact, CreateDeal, CreateLead, GiveTasks


async def send(crm: Crm, kind: str, lane: Lane, stored: Sequence[StoredEffect]) -> list[ItemOutcome]:
    """One request. stored: of COMPLEX the contact of each pair before its deal. One outcome per effect that was told of."""
    if kind == COMPLEX:
        return await _send_pairs(crm, lane, stored)
    items: list[Keyed[Any]] = [Keyed(key=s.key, order=s.order) for s in stored]
    match kind.partition(":")[0]:
        case "create_contact":
            return await crm.create_contacts(items, lane)
        case "create_deal":
            return await crm.create_deals(items, lane)
        case "create_lead":
            return await crm.create_leads(items, lane)
        case "attach_call":
            return await crm.attach_calls(items, lane)
        case "attach_by_number":
            return await crm.attach_calls_by_number(items, lane)
        case "add_note":
            return await crm.add_notes(items, lane)
        case "create_task":
            return await crm.create_tasks(items, lane)
        case "change_note" | "change_task" as do:
            return await _send_changes(
                crm, do, lane, [(s.changed_id or "", i) for s, i in zip(stored, items, strict=True)]
            )
        case "update_entity":
            return await crm.update_entities(items, lane)
        case "give_tasks" | "show_card":
            return [await _send_alone(crm, lane, items[0])]
    raise AssertionError(f"no request for {kind}")


async def _send_changes(
    crm: Crm, do: str, lane: Lane, items: Sequence[tuple[str, Keyed[Any]]]
) -> list[ItemOutcome]:
    return await (crm.change_notes(items, lane) if do == "change_note" else crm.change_tasks(items, lane))


async def _send_alone(crm: Crm, lane: Lane, item: Keyed[Any]) -> ItemOutcome:
    if isinstance(item.order, GiveTasks):
        return await _give_tasks(crm, lane, item.key, item.order)
    await crm.show_card(item.order, lane)
    return Written(key=item.key, id="")


async def _give_tasks(crm: Crm, lane: Lane, key: str, order: GiveTasks) -> ItemOutcome:
    """Ask which tasks are open now, and hand over theirs; done twice, there is nothing left to give."""
    assert order.target.id is not None
    found = await crm.tasks(order.target.kind, [order.target.id], lane)
    theirs = [t for t in found if not t.is_completed and t.owner_id == order.owner_before]
    change = ChangeTask(task="", owner_id=order.owner_id)
    changes = [(task.id, Keyed(key=task.id, order=change)) for task in theirs]
    outcomes = await crm.change_tasks(changes, lane) if changes else []
    refused = next((o for o in outcomes if isinstance(o, Refused)), None)
    return replace(refused, key=key) if refused else Written(key=key, id="")


async def _send_pairs(crm: Crm, lane: Lane, stored: Sequence[StoredEffect]) -> list[ItemOutcome]:
    pairs = list(pairs_of(stored))
    items = []
    for contact, deal in pairs:
        assert isinstance(contact.order, CreateContact)
        assert isinstance(deal.order, CreateDeal)
        items.append(
            DealWithContact(
                deal=Keyed(key=deal.key, order=deal.order),
                contact=Keyed(key=contact.key, order=contact.order),
            )
        )
    contact_of = {deal.key: contact.key for contact, deal in pairs}
    outcomes: list[ItemOutcome] = []
    for outcome in await crm.create_deals_with_contacts(items, lane):
        outcomes.append(outcome)
        contact_key = contact_of.get(outcome.key)
        if contact_key and isinstance(outcome, Written) and "contact" in outcome.extra:
            outcomes.append(Written(key=contact_key, id=outcome.extra["contact"]))
    return outcomes


def pairs_of(stored: Sequence[StoredEffect]) -> Iterable[tuple[StoredEffect, StoredEffect]]:
    """Contacts with the deal that follows each."""
    return zip(stored[::2], stored[1::2], strict=True)


def entities_of(stored: Sequence[StoredEffect], outcomes: Iterable[ItemOutcome]) -> list[CrmEntity]:
    """Return what the directory may know at once of what was created. Older than the CRM's own rows, so that these win."""
    by_key = {s.key: s for s in stored}
    made: list[CrmEntity] = []
    for outcome in outcomes:
        effect = by_key.get(outcome.key)
        if effect is not None and isinstance(outcome, Written) and outcome.id:
            made += _entity(effect, outcome)
    return made


def _entity(effect: StoredEffect, written: Written) -> list[CrmEntity]:
    order = effect.order
    at = effect.sent_at or effect.created_at
    match order:
        case CreateContact():
            return [
                _made(
                    "contact",
                    written.id,
                    order,
                    at,
                    numbers=(order.number,) if order.number else (),
                    created_at=order.created_at or at,
                )
            ]
        case CreateLead():
            return [
                _made("lead", written.id, order, at, numbers=(order.number,), source_uid=order.source_uid)
            ]
        case CreateDeal():
            contact = written.extra.get("contact") or (order.contact.id if order.contact else None)
            place = "company_ids" if order.contact and order.contact.kind == "company" else "contact_ids"
            links: dict[str, Any] = {place: (contact,)} if contact else {}
            if contact and place == "contact_ids":
                links["main_contact_id"] = contact
            return [
                _made(
                    "deal",
                    written.id,
                    order,
                    at,
                    stage_id=order.stage_id,
                    created_at=order.created_at or at,
                    **links,
                )
            ]
        case _:
            return []


def _made(
    kind: EntityKind, id: str, order: CreateContact | CreateDeal | CreateLead, at: datetime, **more: Any
) -> CrmEntity:
    return CrmEntity(
        kind=kind,
        id=id,
        name=order.name,
        owner_id=order.owner_id,
        pipeline_id=getattr(order, "pipeline_id", None),
        updated_at=at - CLOCK_SKEW,
        **{"created_at": at, **more},
    )


def as_refused(key: str, problem: Sequence[str]) -> Refused:
    """problem: (request_id, field path, the CRM's code, detail), as `CrmRefused` carries it."""
    return Refused(key=key, code=problem[2], field=problem[1], detail=problem[3])
