"""A trigger applied to the deals that stand in its stage now: what would come of it, and the long work that does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg

from crm.store.deals import deals_in_stage
from crm.store.metadata import fields_of, pipelines_of
from gateway.store.admin.staff import staff_of
from gateway.store.triggers import firings as store
from gateway.store.triggers.known import known_facts
from gateway.store.triggers.triggers import trigger_of
from routing.triggers.causes import applied
from routing.triggers.decide import FiredLately, decide
from routing.triggers.facts import TriggerFacts
from routing.triggers.model import Trigger
from routing.triggers.reasons import FiringReason
from runtime.database.pool import Conn
from runtime.progress import Progress

WORK = "trigger_apply"
_PAGE = 200


class LookedAtDeal(NamedTuple):
    """What would come of one deal. is_unknown: of `not_met`: a condition asks what only the CRM knows."""

    facts: TriggerFacts
    reason: FiringReason
    is_unknown: bool


class ApplyPreview(NamedTuple):
    """deals: that stand there. reasons: how many would come out how. not_known: of `not_met`, those of which a condition asks
    what only the CRM knows: it decides when they are read. first: the oldest of the deals, as many as were asked for."""

    deals: int
    reasons: Mapping[str, int]
    not_known: int
    first: Sequence[LookedAtDeal] = ()


async def preview(conn: Conn, account_id: str, trigger: Trigger, *, show: int = 0) -> ApplyPreview:
    """Decide by what the directory knows, as if the trigger were on. Nothing is stored. show: so many deals are told of one
    by one."""
    staff = await staff_of(conn, account_id)
    names = frozenset(
        [
            f"{kind}.cf_{one.id}"
            for kind in ("deal", "contact")
            for one in await fields_of(conn, account_id, kind)
        ]
    )
    is_on = trigger.model_copy(update={"is_on": True})
    reasons: Counter[str] = Counter()
    not_known, first = 0, list[LookedAtDeal]()
    async for ids in _pages(conn, account_id, trigger):
        known = {facts.deal_id: facts for facts in await known_facts(conn, account_id, ids, staff, names)}
        for facts in (known[id] for id in ids if id in known):
            one = _looked_at(is_on, facts)
            reasons[one.reason] += 1
            not_known += one.is_unknown
            if len(first) < show:
                first.append(one)
    return ApplyPreview(reasons.total(), dict(reasons), not_known, first)


def _looked_at(trigger: Trigger, facts: TriggerFacts) -> LookedAtDeal:
    found = decide(trigger, applied("preview"), facts, FiredLately())
    is_unknown = found.reason == "not_met" and any(s.because == "not_known" for s in found.steps)
    return LookedAtDeal(facts, found.reason, is_unknown)


async def apply_work(
    pool: asyncpg.Pool, account_id: str, asked: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """As long work of the kind `trigger_apply`. asked: trigger, and the press's own id: a deal fires once for it, whatever is
    killed on the way."""
    counts: Counter[str] = Counter()
    async with pool.acquire() as conn:
        saved = await trigger_of(conn, account_id, asked["trigger"])
    if saved is None or not saved.trigger.is_on:
        return {"deals": 0, "fired": 0, "ended": "removed" if saved is None else "switched_off"}
    version = saved.name, saved.version
    async with pool.acquire() as reading:
        async for ids in _pages(reading, account_id, saved.trigger):
            async with pool.acquire() as conn, conn.transaction():
                counts.update(await _fired(conn, account_id, version, ids, asked["press"]))
            await progress(counts.total(), None)
    return {"deals": counts.total(), "fired": counts["fired"], "already": counts["already"]}


async def _fired(
    conn: Conn, account_id: str, version: tuple[str, int], deal_ids: Sequence[str], press: str
) -> list[str]:
    now, cause = datetime.now(UTC), applied(press)
    added = [
        await store.add_firing(conn, account_id, version, id, cause, source="apply", happened_at=now)
        for id in deal_ids
    ]
    return ["fired" if firing else "already" for firing in added]


async def _pages(conn: Conn, account_id: str, trigger: Trigger) -> AsyncIterator[list[str]]:
    """Yield ids of the open deals in the trigger's stage, or in every stage of its pipeline."""
    stages = [trigger.stage_id] if trigger.stage_id else await _stages(conn, account_id, trigger.pipeline_id)
    for stage in stages:
        after: tuple[datetime | None, str] = (None, "")
        place = (trigger.pipeline_id, stage)
        while page := await deals_in_stage(conn, account_id, place, after=after, limit=_PAGE):
            yield [id for _, id in page]
            after = page[-1]


async def _stages(conn: Conn, account_id: str, pipeline_id: str) -> list[str]:
    found = await pipelines_of(conn, account_id)
    return [s.id for p in found if p.id == pipeline_id for s in p.stages if not s.is_closed]
