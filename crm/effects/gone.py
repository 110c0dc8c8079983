"""Whether what an order goes to is still in the CRM, asked where the CRM would not have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from crm.effects import outcomes
from crm.effects.model import EffectOutcome, StoredEffect
from crm.errors import CrmError
from crm.lane import Lane
from crm.port import Crm, ItemOutcome, Refused
from crm.store.directory import EntityRef
from routing.client import EntityKind
from routing.orders import entity_of

_AT_ONCE = 250


@dataclass(slots=True)
class Gone:
    """refs: what is no longer there. told: key -> what became of effects that go to it, or of which it cannot be told yet."""

    refs: list[EntityRef] = field(default_factory=list)
    told: dict[str, EffectOutcome] = field(default_factory=dict)


async def find_gone(
    crm: Crm, lane: Lane, stored: Sequence[StoredEffect], answers: Iterable[ItemOutcome]
) -> Gone:
    """One request for each kind of entity whose card was refused, as a rule none."""
    gone = Gone()
    blamed: dict[EntityKind, dict[str, list[tuple[StoredEffect, Refused]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    by_key = {s.key: s for s in stored}
    for answer in answers:
        effect = by_key.get(answer.key)
        if effect is None or not isinstance(answer, Refused) or not answer.is_entity or effect.in_lead:
            continue
        ref = entity_of(effect.order)
        if ref is not None and ref.id is not None and ref.kind != "lead":
            blamed[ref.kind][ref.id].append((effect, answer))
    for kind, of_kind in blamed.items():
        ids = list(of_kind)
        for start in range(0, len(ids), _AT_ONCE):
            await _ask(crm, lane, kind, {id: of_kind[id] for id in ids[start : start + _AT_ONCE]}, gone)
    return gone


async def _ask(
    crm: Crm,
    lane: Lane,
    kind: EntityKind,
    refused: dict[str, list[tuple[StoredEffect, Refused]]],
    gone: Gone,
) -> None:
    try:
        there = {e.id for e in await crm.by_ids(kind, list(refused), lane) if not e.is_deleted}
    except CrmError as error:
        gone.told |= {e.key: outcomes.again(e, error) for some in refused.values() for e, _ in some}
        return
    for id, some in refused.items():
        if id not in there and not crm.unread.is_lost(kind, id):
            gone.refs.append((kind, id))
            gone.told |= {e.key: outcomes.entity_gone(e, refusal) for e, refusal in some}
