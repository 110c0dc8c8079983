"""Lists of numbers on their way into a campaign, and the campaign's figures."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated

from pydantic import Field

from campaigns.list_rows import ListColumn
from campaigns.reasons import RowFault
from gateway.admin.campaigns import lists as service
from gateway.admin.campaigns.words import member_reason_in_words
from gateway.api.campaigns.campaigns import seen_campaign, the_campaign
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.distribution.templates import too_much
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route
from gateway.api.worker.long_tasks import WorkView, view_of
from gateway.store.campaigns import lists as store
from gateway.store.campaigns.figures import figures_of
from gateway.store.campaigns.lists import ListRow
from gateway.store.worker.long_tasks import TooMuchWork
from routing.texts.catalogue import Texts


class ListBody(Body):
    """file: CSV or XLSX in base64, packed by gzip or not. columns: by their heading or their place from 1; what is not named is
    known by its heading, the number by its look."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    file: Annotated[str, Field(min_length=1)]
    columns: dict[ListColumn, Annotated[str, Field(min_length=1, max_length=200)]] = {}


class RefusedRowView(Answer):
    """row: from 1, the heading counted. said: what stands where the number should."""

    row: int
    fault: RowFault
    said: str
    message: str


class ListView(Answer):
    """work: that reads it. rows, added and faults: once it was read. refused: the first thousand rows that did not come in."""

    id: str
    name: str
    work: str | None
    is_read: bool
    rows: int
    added: int
    faults: dict[RowFault, int]
    refused: list[RefusedRowView]
    uploaded_at: datetime
    uploaded_by: str


class CountView(Answer):
    state: str
    reason: str
    message: str
    members: int


class HourView(Answer):
    hour: datetime
    side: str
    reason: str
    attempts: int


class FiguresView(Answer):
    """called: to the end, neither taken out nor dropped. reached_percent: of those. tries: attempts that were placed. hours: what
    these came to, the latest first."""

    members: int
    open: int
    called: int
    reached: int
    reached_percent: float | None
    tries: int
    by_state: list[CountView]
    hours: list[HourView]


async def bring_list(call: ApiCall[NoQuery, ListBody]) -> WorkView:
    try:
        body = base64.b64decode(call.body.file, validate=True)
    except ValueError as err:  # a binascii.Error, or letters that are no ASCII
        raise service.ListRefused("file", "it is not base64", "encode the whole file") from err
    async with call.services.pool.acquire() as conn:
        row = await the_campaign(call, conn)
        try:
            work = await service.bring_list(
                conn, call.account.id, row.name, call.body.name, body, call.body.columns, by=call.who.name
            )
        except TooMuchWork as err:
            raise too_much(err) from err
    return view_of(work)


async def list_lists(call: ApiCall[AccountLanguageQuery, None]) -> Items[ListView]:
    async with call.services.pool.acquire() as conn:
        found = await store.lists_of(conn, await seen_campaign(call, conn))
    texts = call.texts(call.query.lang)
    return Items[ListView](items=[_list_view(one, texts) for one in found])


def _list_view(one: ListRow, texts: Texts) -> ListView:
    report = one.report or {}
    return ListView(
        id=one.upload,
        name=one.name,
        work=one.work_id,
        is_read=one.report is not None,
        rows=report.get("rows", 0),
        added=report.get("added", 0),
        faults=report.get("faults", {}),
        refused=[
            RefusedRowView(**row, message=texts.word("campaign.row", row["fault"]))
            for row in report.get("refused", ())
        ],
        uploaded_at=one.uploaded_at,
        uploaded_by=one.uploaded_by,
    )


async def show_figures(call: ApiCall[AccountLanguageQuery, None]) -> FiguresView:
    async with call.services.pool.acquire() as conn:
        found = await figures_of(conn, await seen_campaign(call, conn))
    texts = call.texts(call.query.lang)
    return FiguresView(
        members=found.total,
        open=found.open,
        called=found.called,
        reached=found.reached,
        reached_percent=found.reached_percent,
        tries=found.tries,
        by_state=[
            CountView(**c._asdict(), message=member_reason_in_words(c.reason, texts)) for c in found.members
        ],
        hours=[HourView(**hour._asdict()) for hour in found.hours],
    )


_ONE = "/v1/accounts/{account}/campaigns/{campaign}"
ROUTES = (
    Route(
        method="POST",
        path=_ONE + "/lists",
        handler=bring_list,
        summary="Bring a list of numbers (CSV, XLSX) into a campaign, as long work",
        description="The same list brought again is the same; rows that are wrong are told and keep no others out.",
        status=202,
        errors=(409, 422),
    ),
    Route(
        method="GET",
        path=_ONE + "/lists",
        handler=list_lists,
        summary="Lists that were brought, newest first, with what was wrong row by row",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/figures",
        handler=show_figures,
        summary="What became of a campaign's members and attempts, counted",
        role="read_only",
    ),
)
