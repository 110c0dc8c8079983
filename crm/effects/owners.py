"""Who gets it when the CRM will not have the user whom an order names. Pure.

What was decided stays as it was; beside it stands who was refused, and who has it now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from crm.effects.model import EffectOutcome, StoredEffect
from crm.port import Refused
from routing.effects import AttachCall, GiveTasks, Order, UpdateEntity

StandIns = Callable[[str], Sequence[str]]
"""The users who get what cannot be given to this one, the best first."""

OWNER = "owner"
REFUSED_OWNERS = "refused_owners"
OWNER_REFUSED = "owner-refused"
"""Code of what was given to somebody whom the CRM will not have: whoever gave it gives it to somebody else."""


def handed_on(effect: StoredEffect, refused: Refused, stand_ins: StandIns) -> EffectOutcome | None:
    """Let it wait again for the next user, in the end for the CRM's own choice. None: the user is not what is refused."""
    owner = owner_of(effect.order)
    if not refused.is_owner or owner is None:
        return None
    if is_given(effect.order):
        return EffectOutcome(
            key=effect.key,
            attempt=effect.attempt,
            state="dead",
            code=OWNER_REFUSED,
            field=refused.field,
            detail=refused.detail,
        )
    tried = (*effect.refused_owners, owner)
    told = {REFUSED_OWNERS: "; ".join(tried), OWNER: _next(effect.order, tried, stand_ins)}
    return EffectOutcome(key=effect.key, attempt=effect.attempt, state="waiting", extra=told)


def owner_of(order: Order) -> str | None:
    """Return the user whom this order names, None when it names none."""
    owner: str | None = getattr(order, "owner_id", None)
    return owner


def is_given(order: Order) -> bool:
    """Whether the owner whom it names was picked, so that nobody stands in."""
    return isinstance(order, GiveTasks) or (isinstance(order, UpdateEntity) and order.is_given)


def as_handed_on(order: Order, extra: Mapping[str, str]) -> Order:
    """Return the order with whoever has it now. extra: what is remembered beside it.

    An order that a person has given to somebody else since then stays as it is.
    """
    if OWNER not in extra or owner_of(order) not in refused_owners(extra):
        return order
    return order.model_copy(update={"owner_id": extra[OWNER] or None})


def refused_owners(extra: Mapping[str, str]) -> tuple[str, ...]:
    """Return the users whom the CRM would not have, in the order of the tries."""
    return tuple(user for user in extra.get(REFUSED_OWNERS, "").split("; ") if user)


def _next(order: Order, tried: Sequence[str], stand_ins: StandIns) -> str:
    """Return who is next, "" = nobody. Who talked with the client is a fact in which nobody stands in: the note says their name."""
    if isinstance(order, AttachCall) and order.answered_by is not None:
        return ""
    return next((user for user in stand_ins(tried[0]) if user not in tried), "")
