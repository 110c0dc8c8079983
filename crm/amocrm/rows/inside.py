"""What was seen of the deals inside leads of Unsorted: lists of leads do not tell their owner."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from crm.port import CrmEntity

OWNER_SECONDS = 6 * 3600.0  # so long it is believed; the feed of events tells of changes before


@dataclass(frozen=True, slots=True)
class _Inside:
    """read_at: by the clock of `DealsInside`."""

    read_at: float
    owner_id: str | None
    name: str


class DealsInside:
    """stages: ids of the stages of Unsorted, once they were read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.stages: set[str] = set()
        self._clock = clock
        self._known: dict[str, _Inside] = {}

    def learn(self, deals: Iterable[CrmEntity]) -> None:
        """Deals that were asked for as deals inside leads."""
        now = self._clock()
        self._known = {k: v for k, v in self._known.items() if now - v.read_at < OWNER_SECONDS}
        self._known |= {deal.id: _Inside(now, deal.owner_id, deal.name) for deal in deals}

    def recognise(self, deals: Iterable[CrmEntity]) -> None:
        """Deals that were read for any reason, some of which are inside leads."""
        self.learn(
            deal
            for deal in deals
            if deal.kind == "deal"
            and (deal.id in self._known or deal.stage_id in self.stages)
            and not deal.is_deleted
        )

    def forget(self, deal_ids: Collection[str]) -> None:
        for deal_id in deal_ids:
            self._known.pop(deal_id, None)

    def told(self, lead: CrmEntity) -> CrmEntity:
        """Return the lead with the owner and the name of the deal inside it, as far as they were seen."""
        inside = self._known.get(lead.deal_id or "")
        if inside is None:
            return lead
        return replace(lead, owner_id=inside.owner_id or lead.owner_id, name=inside.name or lead.name)
