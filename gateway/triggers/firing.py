"""From what was told of a deal to firings: each cause once, however many ways it was told."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from crm.kinds import LOST_STAGES, WON_STAGES
from gateway.store.distribution.afterwards import first_stage
from gateway.store.triggers import firings as store
from gateway.store.triggers.firings import FiringSource
from gateway.store.triggers.places import open_deals_of_contact, place_of_deal
from gateway.store.triggers.triggers import SavedTrigger, triggers_on
from routing.triggers.causes import Cause, ClosingStages, ToldChange, causes_of, is_cause_for, told_by_hook
from runtime.database.locks import crm_subject, take
from runtime.database.pool import Conn

CLOSING = ClosingStages(won=frozenset(WON_STAGES), lost=frozenset(LOST_STAGES))

_SKEW = timedelta(minutes=1)
"""The CRM's clock and ours may differ, and it tells whole seconds."""
_SAME_ENTRANCE = timedelta(minutes=10)
"""A hook that comes so soon after another one, or after the CRM's own word, tells of the same."""


class TriggerDeal(NamedTuple):
    """A deal as a hook tells of it. stage: (pipeline, stage)."""

    id: str
    stage: tuple[str, str] | None


async def fire_on_event(
    conn: Conn, account_id: str, kind: str, entity_id: str, told: ToldChange, at: datetime
) -> int:
    """Keep a firing for each trigger for which this change is a cause, in the caller's transaction. How many are new."""
    if kind not in ("deal", "contact"):
        return 0
    triggers = [s for s in await triggers_on(conn, account_id) if s.on_since and at >= s.on_since - _SKEW]
    if not triggers:
        return 0
    if kind == "contact":
        return await _client_wrote(conn, account_id, triggers, entity_id, told, at)
    created_in = await first_stage(conn, account_id, entity_id) if told.aspect == "added" else None
    causes = causes_of(told, CLOSING, created_in)
    return await _fire(conn, account_id, triggers, entity_id, causes, at)


async def _client_wrote(
    conn: Conn,
    account_id: str,
    triggers: Sequence[SavedTrigger],
    contact_id: str,
    told: ToldChange,
    at: datetime,
) -> int:
    """Take what a contact wrote as written about each open deal that it is of."""
    causes = [cause for cause in causes_of(told, CLOSING) if cause.on == "client_wrote"]
    deals = await open_deals_of_contact(conn, account_id, contact_id) if causes else []
    return sum([await _fire(conn, account_id, triggers, deal, causes, at) for deal in deals])


async def _fire(
    conn: Conn,
    account_id: str,
    triggers: Sequence[SavedTrigger],
    deal_id: str,
    causes: Collection[Cause],
    at: datetime,
) -> int:
    added = 0
    for cause in causes:
        meant = [saved for saved in triggers if is_cause_for(cause, saved.trigger)]
        if meant and cause.stage_id is None:
            place = await place_of_deal(conn, account_id, deal_id)
            meant = [saved for saved in meant if place is None or saved.trigger.is_at(*place)]
        for saved in meant:
            added += await _once(conn, account_id, saved, deal_id, cause, at)
    return added


async def _once(
    conn: Conn, account_id: str, saved: SavedTrigger, deal_id: str, cause: Cause, at: datetime
) -> bool:
    if cause.stage_id is not None and await store.bind_event(
        conn, account_id, saved.name, deal_id, cause, at - _SKEW
    ):
        return False
    for event in saved.trigger.events if cause.on == "price_crossed" else ():
        if event.amount is not None and await store.is_crossed_already(
            conn, account_id, saved.name, deal_id, at, event.amount
        ):
            return False
    return await _add(conn, account_id, saved, deal_id, cause, "event", at)


async def fire_by_name(
    conn: Conn, account_id: str, name: str, deals: Sequence[TriggerDeal]
) -> tuple[list[str], list[str]] | None:
    """As `fire_on_hook`, of the trigger of this name; None: there is none that is on."""
    saved = next((one for one in await triggers_on(conn, account_id) if one.name == name), None)
    return None if saved is None else await fire_on_hook(conn, account_id, saved, deals)


async def fire_on_hook(
    conn: Conn, account_id: str, saved: SavedTrigger, deals: Sequence[TriggerDeal]
) -> tuple[list[str], list[str]]:
    """Keep a firing for each deal that a hook told of, in the caller's transaction: (those that are new, those whose entrance
    was told a moment ago). A hook that does not say where the deal is means the trigger's own stage."""
    kept: list[str] = []
    already: list[str] = []
    for deal in deals:
        await take(conn, crm_subject(account_id, f"deal:{deal.id}"))
        pipeline, stage = deal.stage or await _place_meant(conn, account_id, saved, deal.id)
        if await store.is_told(conn, account_id, saved.name, deal.id, stage, _SAME_ENTRANCE):
            already.append(deal.id)
            continue
        cause = told_by_hook(pipeline, stage, key=f"hook:{secrets.token_hex(8)}")
        await _add(conn, account_id, saved, deal.id, cause, "hook", datetime.now(UTC))
        kept.append(deal.id)
    return kept, already


async def _place_meant(
    conn: Conn, account_id: str, saved: SavedTrigger, deal_id: str
) -> tuple[str, str | None]:
    if saved.trigger.stage_id is None and (place := await place_of_deal(conn, account_id, deal_id)):
        return place
    return saved.trigger.pipeline_id, saved.trigger.stage_id


async def _add(
    conn: Conn,
    account_id: str,
    saved: SavedTrigger,
    deal_id: str,
    cause: Cause,
    source: FiringSource,
    at: datetime,
) -> bool:
    version = (saved.name, saved.version)
    added = await store.add_firing(conn, account_id, version, deal_id, cause, source=source, happened_at=at)
    return added is not None
