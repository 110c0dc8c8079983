"""What a decision orders from the CRM: the deal's owner, and what goes with it as the template says. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from crm.store.deals import KnownDeal
from routing.client import EntityKind, Ref
from routing.distribution.template import AlsoChange
from routing.effects import Effect, GiveTasks, UpdateEntity

DEAL_EFFECT = "deal"
_TASKS_OF: dict[EntityKind, AlsoChange] = {
    "deal": "deal_tasks",
    "contact": "contact_tasks",
    "company": "company_tasks",
}


def effects_of(
    decision_id: str, deal: KnownDeal, user_id: str, also_change: Collection[AlsoChange]
) -> tuple[Effect, ...]:
    """Return the deal's own first: the others need it. What is theirs already is not written again."""
    return tuple(_effects(decision_id, deal, user_id, also_change))


def _effects(
    decision_id: str, deal: KnownDeal, user_id: str, also_change: Collection[AlsoChange]
) -> Iterator[Effect]:
    first = f"{decision_id}:{DEAL_EFFECT}"
    after = () if deal.owner_id == user_id else (first,)
    if deal.owner_id != user_id:
        yield Effect(key=first, order=_owner(Ref(kind="deal", id=deal.id), user_id, deal.owner_id))
    for part in deal.linked:
        if part.kind in also_change and part.owner_id != user_id:
            order = _owner(Ref(kind=part.kind, id=part.id), user_id, part.owner_id)
            yield Effect(key=f"{decision_id}:{part.kind}:{part.id}", order=order, after=after)
    if deal.owner_id is None or deal.owner_id == user_id:
        return  # nobody's tasks to hand over
    for kind, id in (("deal", deal.id), *((part.kind, part.id) for part in deal.linked)):
        if _TASKS_OF.get(kind) in also_change:
            ref = Ref(kind=kind, id=id)
            tasks = GiveTasks(target=ref, owner_before=deal.owner_id, owner_id=user_id)
            yield Effect(key=f"{decision_id}:tasks:{kind}:{id}", order=tasks, after=after)


def _owner(target: Ref, user_id: str, owner_was: str | None) -> UpdateEntity:
    """Give it as long as it is still whose it was: what somebody did meanwhile stays."""
    return UpdateEntity(target=target, owner_id=user_id, owner_was=owner_was, is_given=True)
