"""Orders with the ids of what earlier effects have created."""

from __future__ import annotations

from collections.abc import Mapping

from routing.client import Ref
from routing.effects import (
    AddNote,
    AttachCall,
    ChangeNote,
    CreateDeal,
    CreateTask,
    GiveTasks,
    Order,
    UpdateEntity,
)

EffectIds = Mapping[str, tuple[str | None, str]]
"""Effect key -> (kind where it is not the one ordered, id)."""


def filled(order: Order, ids: EffectIds) -> Order:
    """Return the same order; a ref whose effect is in `ids` carries the id instead."""
    match order:
        case CreateDeal(contact=Ref() as ref):
            return order.model_copy(update={"contact": _filled(ref, ids)})
        case AttachCall(target=Ref() as ref) | CreateTask(target=Ref() as ref):
            return order.model_copy(update={"target": _filled(ref, ids)})
        case AddNote(target=ref) | ChangeNote(target=ref) | UpdateEntity(target=ref) | GiveTasks(target=ref):
            return order.model_copy(update={"target": _filled(ref, ids)})
        case _:
            return order


def lead_of(order: Order) -> str | None:
    """Return the lead of Unsorted (its id) that this order is put on."""
    ref = getattr(order, "target", None)
    return ref.id if isinstance(ref, Ref) and ref.kind == "lead" else None


def opened(order: Order, deals: Mapping[str, str]) -> Order:
    """deals: lead -> the deal inside it. What is put on a lead stands on that deal, which stays when the lead is accepted."""
    deal = deals.get(lead_of(order) or "")
    return order if deal is None else order.model_copy(update={"target": Ref(kind="deal", id=deal)})


def missing(order: Order) -> str | None:
    """Key of an effect whose id this order needs and does not have."""
    ref = getattr(order, "target", None) or getattr(order, "contact", None)
    return ref.effect if isinstance(ref, Ref) and ref.id is None else None


def _filled(ref: Ref, ids: EffectIds) -> Ref:
    if ref.effect is None or ref.effect not in ids:
        return ref
    kind, id = ids[ref.effect]
    return Ref.model_validate({"kind": kind or ref.kind, "id": id})
