"""Whose client it is already: people who get what is theirs without a turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from routing.decision import Step
from routing.distribution.eligible import asked_for, substitute_of, why_away
from routing.distribution.item import NOTHING_SAID, OtherDeal, Standings, WorkItem
from routing.distribution.outcome import Distribution, decided
from routing.distribution.roster import Roster, why_never


def only_person(
    roster: Roster, item: WorkItem, standings: Standings, steps: list[Step]
) -> Distribution | None:
    """Keep a client who is for one person only with that person; None when the client is anybody's, or that person is gone."""
    if item.only is None:
        return None
    if why := why_never(item.only, 1, roster.staff):
        steps.append(Step("only", "excluded", "only_person_cannot", {"employee": item.only, "why": why}))
        return None
    away = why_away(standings.get(item.only, NOTHING_SAID), asked_for(roster, item))
    if away and item.kind == "ring":
        return decided("nobody", "only_this_person", None, steps, "only", employee=item.only, why=away)
    if away == "on_leave" and (substitute := substitute_of(item.only, roster, standings)):
        return decided("kept", "only_person_substitute", substitute, steps, "only", owner=item.only)
    return decided("kept", "only_this_person", item.only, steps, "only")


def repeat_owner(
    roster: Roster, item: WorkItem, standings: Standings, steps: list[Step]
) -> Distribution | None:
    """Keep a client who is somebody's already with them; None when it is to be given out. Newest open deal first."""
    control = roster.template.repeat
    if control.by == "off":
        return None
    theirs = _deals_that_count(roster, item)
    if not theirs:
        steps.append(Step("repeat", "passed", "repeat_none", {"by": control.by}))
    deals = Counter(deal.owner for deal in theirs)
    for deal in _newest_of_each(theirs):
        owner = roster.staff.by_crm_user.get(deal.owner or "")
        facts = {
            "user": deal.owner,
            "employee": owner.id if owner else None,
            "deal": deal.id,
            "deals": deals[deal.owner] + 1,
        }
        if deals[deal.owner] + 1 < control.threshold:
            steps.append(Step("repeat", "excluded", "repeat_too_few", facts))
        elif owner is None or why_never(owner.id, 1, roster.staff):
            steps.append(Step("repeat", "excluded", "repeat_owner_cannot", facts))
        elif owner.id in {*control.exclusions, *item.excluded, *item.tried}:
            steps.append(Step("repeat", "excluded", "repeat_owner_excluded", facts))
        elif found := _for_owner(owner.id, roster, item, standings, steps, facts):
            return found
    return None


def _for_owner(
    owner_id: str,
    roster: Roster,
    item: WorkItem,
    standings: Standings,
    steps: list[Step],
    facts: dict[str, str | int | None],
) -> Distribution | None:
    standing = standings.get(owner_id, NOTHING_SAID)
    away = why_away(standing, asked_for(roster, item))
    if away == "on_leave" and (substitute := substitute_of(owner_id, roster, standings)):
        return decided(
            "kept", "repeat_owner_substitute", substitute, steps, "repeat", owner=owner_id, deal=facts["deal"]
        )
    when_away = "distribute" if item.kind == "ring" else roster.template.repeat.when_away
    if away is None or when_away == "give":
        return decided(
            "kept", "repeat_owner", owner_id, steps, "repeat", deal=facts["deal"], deals=facts["deals"]
        )
    if when_away == "wait":
        return decided(
            "waits", "waits_for_person", None, steps, "repeat", standing.back_at, owner=owner_id, why=away
        )
    steps.append(Step("repeat", "excluded", "repeat_owner_away", {**facts, "why": away}))
    return None


def _deals_that_count(roster: Roster, item: WorkItem) -> list[OtherDeal]:
    control = roster.template.repeat
    wanted = {"contacts": {"contact"}, "companies": {"company"}}.get(control.by, {"contact", "company"})
    return [
        deal
        for deal in item.other_deals
        if deal.owner
        and deal.via & wanted
        and (not control.pipelines or deal.pipeline_id in control.pipelines)
    ]


def _newest_of_each(deals: list[OtherDeal]) -> Iterator[OtherDeal]:
    """Yield the newest deal of each owner: open ones first, then those closed last."""
    met: set[str | None] = set()
    for deal in sorted(deals, key=lambda d: (d.is_open, d.at, d.id), reverse=True):
        if deal.owner not in met:
            met.add(deal.owner)
            yield deal
