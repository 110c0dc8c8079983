"""What triggers fired on and what they did not, each with its reason and every step that was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.distribution.template_views import CrmEntityId
from gateway.api.frame import Answer, AnyCall, ApiCall, Items, Route, not_found
from gateway.api.pages import next_page, page_after
from gateway.api.sent_time import SentTime
from gateway.api.unseen import unseen_by
from gateway.decisions.explain import facts_in_words
from gateway.store.triggers.firings import FiringRow, FiringSource, FiringState
from gateway.store.triggers.listing import FiringFilter, firing_of, listed_firings
from routing.texts.catalogue import Texts
from routing.triggers.reasons import FIRING_REASONS, FiringReason


class FiringsQuery(AccountLanguageQuery):
    """since, until: when it was told."""

    trigger: Annotated[str, Field(max_length=200)] | None = None
    deal: CrmEntityId | None = None
    state: FiringState | None = None
    reason: FiringReason | None = None
    since: SentTime | None = None
    until: SentTime | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str, Field(max_length=200, description="`next` of the page before")] | None = None


class FiringView(Answer):
    """cause: what happened. cause_key: the same however many ways it was told. state: reading = the deal is still to be read.
    next_try_at: of one that is being read."""

    id: str
    trigger: str
    version: int
    deal: str
    url: str
    contact: str | None
    cause: str
    cause_key: str
    source: FiringSource
    state: FiringState
    reason: str
    message: str
    tries: int
    next_try_at: datetime | None
    happened_at: datetime
    created_at: datetime
    ended_at: datetime | None


class FiringStepView(Answer):
    """facts: what the step knew, in words."""

    rule: str
    verdict: str
    because: str
    message: str
    facts: str


class FiringInFull(FiringView):
    """steps: everything that was looked at, in order; empty where nothing had to be."""

    steps: list[FiringStepView]


def _view(call: AnyCall, row: FiringRow, texts: Texts) -> FiringView:
    return FiringView(
        id=row.firing_id,
        trigger=row.trigger,
        version=row.version,
        deal=row.deal_id,
        url=call.services.url_of(row.account_id, "deal", row.deal_id),
        contact=row.contact_id,
        cause=row.cause["on"],
        cause_key=row.cause_key,
        source=row.source,
        state=row.state,
        reason=row.reason,
        message=texts.word("trigger.reason", row.reason) if row.reason else "",
        tries=row.tries,
        next_try_at=row.next_try_at if row.state == "reading" else None,
        happened_at=row.happened_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _step(step: Mapping[str, Any], texts: Texts, zone: ZoneInfo) -> FiringStepView:
    because = step["because"]
    kind = "reason" if because in FIRING_REASONS else "step"
    return FiringStepView(
        rule=step["rule"],
        verdict=step["verdict"],
        because=because,
        message=texts.word(f"trigger.{kind}", because),
        facts=facts_in_words(step["facts"], texts, zone),
    )


async def list_firings(call: ApiCall[FiringsQuery, None]) -> Items[FiringView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        unseen = await unseen_by(call, conn)
    wanted = FiringFilter(
        without=unseen.triggers,
        trigger=query.trigger,
        deal_id=query.deal,
        state=query.state,
        reason=query.reason,
        since=query.since,
        until=query.until,
        after=page_after(query.after) if query.after else None,
    )
    async with call.services.pool.acquire() as conn:
        found = await listed_firings(conn, call.account.id, wanted, limit=query.limit + 1)
    shown, texts = found[: query.limit], call.texts(query.lang)
    more = next_page(shown[-1].created_at, shown[-1].firing_id) if len(found) > len(shown) else None
    return Items[FiringView](items=[_view(call, row, texts) for row in shown], next=more)


async def show_firing(call: ApiCall[AccountLanguageQuery, None]) -> FiringInFull:
    async with call.services.pool.acquire() as conn:
        row, unseen = await firing_of(conn, call.account.id, call.path["firing"]), await unseen_by(call, conn)
    if row is None or row.trigger in unseen.triggers:
        raise not_found("firing", call.path["firing"])
    texts = call.texts(call.query.lang)
    zone = ZoneInfo(call.account.time_zone)
    steps = [_step(step, texts, zone) for step in row.steps]
    return FiringInFull(**_view(call, row, texts).model_dump(), steps=steps)


_ALL = "/v1/accounts/{account}/firings"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_firings,
        summary="What triggers fired on and what they did not, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ALL + "/{firing}",
        handler=show_firing,
        summary="One firing, with every step that was looked at",
        role="read_only",
    ),
)
