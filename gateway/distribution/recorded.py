"""A decision as it is kept: with all that it was made of, so that it can be computed again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.store.distribution.items import ItemRow
from gateway.store.distribution.ledgers import Ledgers
from routing.distribution.item import NOTHING_SAID, Standing, WorkItem
from routing.distribution.outcome import Distribution

KIND = "distribution"
"""Of these decisions."""


def outcome_json(item: ItemRow, name: str, version: int, result: Distribution) -> dict[str, object]:
    return {
        "outcome": result.outcome,
        "employee": result.employee_id,
        "template": name,
        "version": version,
        "deal": item.entity_id,
        "item": item.item_id,
        "waits_until": result.waits_until.isoformat() if result.waits_until else None,
        "entries": [entry.as_json() for entry in result.entries],
    }


def inputs_json(
    item: WorkItem,
    ledgers: Ledgers,
    standings: Mapping[str, Standing],
    *,
    now: datetime,
    time_zone: str,
    staff_version: int,
) -> dict[str, object]:
    return {
        "item": {
            **item._asdict(),
            "entered_at": item.entered_at.isoformat(),
            "excluded": sorted(item.excluded),
            "other_deals": [
                {**d._asdict(), "via": sorted(d.via), "at": d.at.isoformat()} for d in item.other_deals
            ],
        },
        "ledgers": {scope: ledger.as_json() for scope, ledger in ledgers.items()},
        "standings": {
            id: {**s._asdict(), "back_at": s.back_at.isoformat() if s.back_at else None}
            for id, s in standings.items()
            if s != NOTHING_SAID
        },
        "now": now.isoformat(),
        "time_zone": time_zone,
        "staff_version": staff_version,
    }
