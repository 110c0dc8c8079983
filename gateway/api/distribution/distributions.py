"""What was given, to whom and why: lists with filters, the log of each step by step, and what a person may do with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from gateway.admin.distribution import orders, results
from gateway.admin.distribution.results import ItemInWords
from gateway.admin.refused import NothingOfThatName
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.distribution.template_views import CrmEntityId
from gateway.api.frame import (
    Answer,
    AnyCall,
    ApiCall,
    Body,
    CsvAnswer,
    Items,
    NoQuery,
    Route,
    may_see,
    not_found,
)
from gateway.api.pages import next_page, page_after
from gateway.api.sent_time import SentTime
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.items import ItemRow, ItemSource, ItemState, ListedKind
from gateway.store.distribution.listing import ItemFilter, listed_items
from gateway.texts.sentences import TEXTS
from routing.distribution.template import TemplateKind
from runtime.database.pool import Conn


class DistributionsQuery(AccountLanguageQuery):
    """kind: what was given. type: of the template, turn or load. since, until: when it came."""

    template: Annotated[str, Field(max_length=200)] | None = None
    deal: CrmEntityId | None = None
    kind: ListedKind | None = None
    type: TemplateKind | None = None
    source: ItemSource | None = None
    state: ItemState | None = None
    employee: Annotated[str, Field(max_length=64)] | None = None
    since: SentTime | None = None
    until: SentTime | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str, Field(max_length=200, description="`next` of the page before")] | None = None


class DistributionView(Answer):
    """deal, call: which it is, by its kind; url: of the deal in the CRM. is_distributed: somebody has it by us. is_written: the CRM knows what was decided; false while that is on its way. entered_at: when it came into the stage. overridden_by: CRM user to whom somebody
    else gave it soon after us. take_until: of what has not been taken to work yet."""

    id: str
    kind: ListedKind
    deal: str | None
    call: str | None
    url: str | None
    pipeline_id: str | None
    stage_id: str | None
    template: str
    version: int | None
    source: ItemSource
    state: ItemState
    is_distributed: bool
    is_written: bool
    reason: str
    message: str
    employee: str | None
    name: str | None
    owner_before: str | None
    entered_at: datetime
    created_at: datetime
    decided_at: datetime | None
    due_at: datetime | None
    opens_at: datetime | None
    take_until: datetime | None
    taken_at: datetime | None
    overridden_by: str | None
    tried: list[str]
    refused: list[str]
    error: str | None
    decision_id: str | None


class DistributionInFull(DistributionView):
    """decisions: as of `/decisions`, the oldest first, each with a step for every person who was considered."""

    decisions: list[dict[str, Any]]


class DealBody(Body):
    template: Annotated[str, Field(min_length=1, max_length=200)]
    deal: CrmEntityId
    again: bool = False


def _view(call: AnyCall, said: ItemInWords) -> DistributionView:
    item = said.item
    is_call = item.kind == "call"
    return DistributionView(
        id=item.item_id,
        kind=item.kind,
        deal=None if is_call else item.entity_id,
        call=item.entity_id if is_call else None,
        url=None if is_call else call.services.url_of(item.account_id, "deal", item.entity_id),
        name=said.name,
        message=said.message,
        is_distributed=said.is_distributed,
        employee=item.employee_id,
        tried=list(item.tried),
        refused=list(item.refused),
        **{name: getattr(item, name) for name in _AS_THEY_ARE},
    )


_AS_THEY_ARE = (
    "pipeline_id",
    "stage_id",
    "template",
    "version",
    "source",
    "state",
    "reason",
    "owner_before",
    "entered_at",
    "created_at",
    "decided_at",
    "due_at",
    "opens_at",
    "is_written",
    "take_until",
    "taken_at",
    "overridden_by",
    "error",
    "decision_id",
)


async def _found(call: ApiCall[DistributionsQuery, None], conn: Conn, limit: int) -> list[ItemInWords]:
    query = call.query
    wanted = ItemFilter(
        template=query.template,
        templates=call.who.bound.templates or None,
        entity_id=query.deal,
        kind=query.kind,
        type=query.type,
        source=query.source,
        state=query.state,
        employee_id=query.employee,
        since=query.since,
        until=query.until,
        after=page_after(query.after) if query.after else None,
    )
    rows = await listed_items(conn, call.account.id, wanted, limit=limit)
    staff = await staff_of(conn, call.account.id)
    texts = call.texts(query.lang)
    return [results.in_words(row, staff, texts) for row in rows]


async def list_distributions(call: ApiCall[DistributionsQuery, None]) -> Items[DistributionView]:
    async with call.services.pool.acquire() as conn:
        found = await _found(call, conn, call.query.limit + 1)
    shown = found[: call.query.limit]
    return Items[DistributionView](
        items=[_view(call, f) for f in shown], next=_next(shown) if len(found) > len(shown) else None
    )


async def list_as_csv(call: ApiCall[DistributionsQuery, None]) -> CsvAnswer:
    async with call.services.pool.acquire() as conn:
        found = await _found(call, conn, call.query.limit + 1)
    shown = found[: call.query.limit]
    return CsvAnswer(
        text=results.as_csv(shown, call.account.time_zone),
        file="distributions.csv",
        after=_next(shown) if len(found) > len(shown) else None,
    )


def _next(shown: Sequence[ItemInWords]) -> str:
    """Return what names the page after these."""
    last = shown[-1].item
    return next_page(last.created_at, last.item_id)


async def show_distribution(call: ApiCall[AccountLanguageQuery, None]) -> DistributionInFull:
    language = call.query.lang or call.account.settings.language
    async with call.services.pool.acquire() as conn:
        item = await _one(call, conn)
        staff = await staff_of(conn, call.account.id)
        decisions = await results.decisions_of(conn, call.account.id, item, language, call.services.url_of)
    said = results.in_words(item, staff, TEXTS[language])
    return DistributionInFull(**_view(call, said).model_dump(), decisions=decisions)


async def _one(call: AnyCall, conn: Conn) -> ItemRow:
    """Raise ApiError 404: one of a template that the token is not bound to does not exist for it."""
    try:
        item = await orders.the_item(conn, call.account.id, call.path["distribution"])
    except NothingOfThatName as err:
        raise not_found("distribution", call.path["distribution"]) from err
    if not may_see(call, item.template):
        raise not_found("distribution", item.item_id)
    return item


async def give_deal(call: ApiCall[NoQuery, DealBody]) -> DistributionView:
    async with call.services.pool.acquire() as conn:
        item_id = await orders.order_deal(
            conn, call.account.id, call.body.template, call.body.deal, again=call.body.again
        )
        return await _shown(call, conn, await orders.the_item(conn, call.account.id, item_id))


async def _shown(call: AnyCall, conn: Conn, item: ItemRow) -> DistributionView:
    staff = await staff_of(conn, call.account.id)
    return _view(call, results.in_words(item, staff, call.texts()))


async def try_again(call: ApiCall) -> DistributionView:
    async with call.services.pool.acquire() as conn:
        item = await _one(call, conn)
        return await _shown(call, conn, await orders.try_again(conn, call.account.id, item.item_id))


async def give_up(call: ApiCall) -> DistributionView:
    async with call.services.pool.acquire() as conn:
        item = await _one(call, conn)
        return await _shown(call, conn, await orders.give_up(conn, call.account.id, item.item_id))


_ALL = "/v1/accounts/{account}/distributions"
_ONE = _ALL + "/{distribution}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_distributions,
        summary="What was given and what was not, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account}/distributions-csv",
        handler=list_as_csv,
        summary="The same as a CSV file, times by the account's clocks",
        description="Errors are JSON (`application/problem+json`), as everywhere.",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=give_deal,
        summary="Give one deal by a template; a worker decides",
        role="senior_manager",
        status=202,
        errors=(404,),
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show_distribution,
        summary="One of them, with its decisions step by step",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ONE + "/retry",
        handler=try_again,
        summary="Look at it now: what waits, failed, was given to nobody or given up",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_ONE + "/give-up",
        handler=give_up,
        summary="Wait for nobody any more",
        role="senior_manager",
        errors=(409,),
    ),
)
