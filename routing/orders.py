"""What there is to know of each kind of order: one description per kind, and what follows from it.

Whoever adds a kind of order adds its line here; the words for people are found by the kind's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from routing.client import ClientEntity, EntityKind, Ref
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
    Effect,
    GiveTasks,
    Order,
    ShowCard,
    UpdateEntity,
)

Verification = Literal["entity", "note", "task", "repeat", "never"]
"""How an unknown outcome is cleared up: looked for among the CRM's newest entities, the notes or the tasks of its place;
"repeat" = doing it again does no harm; "never" = it is not done again, late it is worse than never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKind:
    """type: the order's class. creates: the entity that it promises. names: its field with the entity that must be there
    first. follows: its field with the key of an effect that must be done first. verified: see Verification.
    tells_call: the CRM learns of the call by it. is_per_target: one request holds those of one kind of entity only.
    is_alone: one in a request. can_be_late: still worth doing after a pause of the account."""

    type: type[Order]
    verified: Verification
    creates: EntityKind | None = None
    names: str | None = None
    follows: str | None = None
    tells_call: bool = False
    is_per_target: bool = False
    is_alone: bool = False
    can_be_late: bool = True


ORDER_KINDS: Mapping[str, OrderKind] = {
    "create_contact": OrderKind(type=CreateContact, verified="entity", creates="contact"),
    "create_deal": OrderKind(type=CreateDeal, verified="entity", creates="deal", names="contact"),
    "create_lead": OrderKind(type=CreateLead, verified="entity", creates="lead", tells_call=True),
    "attach_call": OrderKind(
        type=AttachCall, verified="note", names="target", tells_call=True, is_per_target=True
    ),
    "add_note": OrderKind(type=AddNote, verified="note", names="target", is_per_target=True),
    "change_note": OrderKind(
        type=ChangeNote, verified="repeat", names="target", follows="note", is_per_target=True
    ),
    "create_task": OrderKind(type=CreateTask, verified="task", names="target"),
    "change_task": OrderKind(type=ChangeTask, verified="repeat", follows="task"),
    "update_entity": OrderKind(type=UpdateEntity, verified="repeat", names="target", is_per_target=True),
    "give_tasks": OrderKind(type=GiveTasks, verified="repeat", names="target", is_alone=True),
    "show_card": OrderKind(type=ShowCard, verified="never", is_alone=True, can_be_late=False),
    "call_client": OrderKind(type=CallClient, verified="never", is_alone=True, can_be_late=False),
}
"""By the order's name (`do`)."""

CREATING = frozenset(do for do, kind in ORDER_KINDS.items() if kind.creates)
TELLING_CALL = frozenset(do for do, kind in ORDER_KINDS.items() if kind.tells_call)


def order_types() -> tuple[type[Order], ...]:
    """Every class that an order may have."""
    return get_args(get_args(Order)[0])


def entity_of(order: Order) -> Ref | None:
    """Return the entity that this order names."""
    kind = ORDER_KINDS[order.do]
    # getattr is slow on models, and this stands in every decision
    ref = order.__dict__[kind.names] if kind.names else None
    return ref if isinstance(ref, Ref) else None


def needs_of(order: Order) -> tuple[str, ...]:
    """Keys of the effects that must have been applied before this order can be."""
    ref = entity_of(order)
    return tuple(key for key in (ref.effect if ref else None, changed_by(order)) if key)


def changed_by(order: Order) -> str | None:
    """Return the key of the effect that made what this order changes; None or "" = of no effect."""
    follows = ORDER_KINDS[order.do].follows
    key: str | None = order.__dict__[follows] if follows else None
    return key


def promise(effect: Effect, at: datetime) -> ClientEntity | None:
    """Return the entity that this effect, ordered at this time, will create; None when it creates none."""
    order = effect.order
    if not isinstance(order, CreateContact | CreateDeal | CreateLead):
        return None
    kind = ORDER_KINDS[order.do].creates
    assert kind is not None
    return promised_entity(order.__dict__, Ref(kind=kind, effect=effect.key), at)


def promised_entity(order: Mapping[str, object], ref: Ref, at: datetime) -> ClientEntity:
    """Return the entity that a creating order makes, as the matrix sees it. order: its fields."""
    named = {field: order.get(field) for field in ("name", "owner_id", "pipeline_id", "stage_id")}
    return ClientEntity.model_validate({**named, "ref": ref, "created_at": at, "updated_at": at})
