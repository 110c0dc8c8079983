"""A decision as it is kept: with all that it was made of, so that it can be computed again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.store.distribution.ledgers import Ledgers, ledgers_of_json
from routing.distribution.decide import distribute
from routing.distribution.item import NOTHING_SAID, OtherDeal, Standing, WorkItem
from routing.distribution.outcome import Distribution
from routing.distribution.roster import roster_of
from routing.distribution.template import DistributionTemplate
from routing.presence import PresenceState
from routing.staff import Staff

KIND = "distribution"
"""Of these decisions."""


class GivenBy(NamedTuple):
    """What was decided, and by which version of which template. deal, item: ids."""

    deal: str
    item: str
    template: str
    version: int


def outcome_json(given: GivenBy, result: Distribution) -> dict[str, object]:
    return {
        **given._asdict(),
        "outcome": result.outcome,
        "employee": result.employee_id,
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
            "no_right": sorted(item.no_right),
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


def decided_again(inputs: Mapping[str, Any], template: DistributionTemplate, staff: Staff) -> Distribution:
    """Decide from what `inputs_json` kept, by the same template and the same staff."""
    standings = {id: _standing(value) for id, value in inputs["standings"].items()}
    ledgers = ledgers_of_json(inputs["ledgers"])
    now, zone = datetime.fromisoformat(inputs["now"]), ZoneInfo(inputs["time_zone"])
    return distribute(roster_of(template, staff), _item(inputs["item"]), ledgers, standings, now, zone)


def _item(value: Mapping[str, Any]) -> WorkItem:
    deals = (
        OtherDeal(**{**deal, "via": frozenset(deal["via"]), "at": datetime.fromisoformat(deal["at"])})
        for deal in value["other_deals"]
    )
    read = {
        "entered_at": datetime.fromisoformat(value["entered_at"]),
        "other_deals": tuple(deals),
        "tried": tuple(value["tried"]),
        "excluded": frozenset(value["excluded"]),
        "tags": tuple(value["tags"]),
        "no_right": frozenset(value.get("no_right", ())),
    }
    return WorkItem(**{**value, **read})


def _standing(value: Mapping[str, Any]) -> Standing:
    back_at = value["back_at"]
    read = {
        "presence": PresenceState(value["presence"]),
        "back_at": datetime.fromisoformat(back_at) if back_at else None,
    }
    return Standing(**{**value, **read})
