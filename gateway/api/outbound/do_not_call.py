"""Numbers that are neither called nor written to: everything, or one campaign."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.admin.outbound import do_not_call as service
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route
from gateway.api.pages import next_page, page_after
from gateway.store.outbound.do_not_call import DoNotCallSource

CampaignName = Annotated[
    str, Field(max_length=service.LONGEST_CAMPAIGN, description="empty: for everything that would go out")
]


class DoNotCallQuery(Body):
    """search: a number in any spelling, a part of one, or of a note."""

    search: Annotated[str, Field(max_length=100)] | None = None
    campaign: CampaignName | None = None
    source: DoNotCallSource | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str, Field(max_length=400, description="`next` of the page before")] | None = None


class DoNotCallView(Answer):
    """source: whose wish it was. said_by: who entered it, or where the client said so."""

    number: str
    campaign: str
    source: DoNotCallSource
    said_by: str
    note: str
    since: datetime


class DoNotCallAdd(Body):
    """number: in any spelling."""

    number: Annotated[str, Field(min_length=1, max_length=service.LONGEST_NUMBER)]
    campaign: CampaignName = ""
    note: Annotated[str, Field(max_length=service.LONGEST_NOTE)] = ""


class DoNotCallAdded(Answer):
    """is_new: it was not there. dropped: how many items waited for it."""

    number: str
    is_new: bool
    dropped: int


class DoNotCallRemoveQuery(Body):
    campaign: CampaignName = ""


class DoNotCallImport(Body):
    """text: a number a line, or a table (commas, semicolons or tabs) with a heading or with numbers first and notes second."""

    text: str
    campaign: CampaignName = ""


class RefusedLineView(Answer):
    line: int
    text: str
    reason: service.NotOnListReason
    message: str


class DoNotCallImported(Answer):
    """read: lines that say something. refused: of them without a number; lines: the first of those."""

    read: int
    added: int
    already: int
    dropped: int
    refused: int
    lines: list[RefusedLineView]


async def list_numbers(call: ApiCall[DoNotCallQuery, None]) -> Items[DoNotCallView]:
    query = call.query
    after = None
    if query.after:
        at, place = page_after(query.after)
        number, _, campaign = place.partition(" ")
        after = (at, number, campaign)
    async with call.services.pool.acquire() as conn:
        found = await service.listed_numbers(
            conn,
            call.account.id,
            search=query.search,
            campaign=query.campaign,
            source=query.source,
            after=after,
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    more = (
        next_page(shown[-1].since, f"{shown[-1].number} {shown[-1].campaign}")
        if len(found) > len(shown)
        else None
    )
    return Items[DoNotCallView](items=[DoNotCallView.model_validate(row) for row in shown], next=more)


async def add_number(call: ApiCall[NoQuery, DoNotCallAdd]) -> DoNotCallAdded:
    body = call.body
    async with call.services.pool.acquire() as conn:
        done = await service.add_number(
            conn, call.account.id, body.number, campaign=body.campaign, note=body.note, by=call.who.name
        )
    return DoNotCallAdded.model_validate(done)


async def remove_number(call: ApiCall[DoNotCallRemoveQuery, None]) -> None:
    async with call.services.pool.acquire() as conn:
        await service.remove_number(conn, call.account.id, call.path["number"], campaign=call.query.campaign)


async def import_numbers(call: ApiCall[NoQuery, DoNotCallImport]) -> DoNotCallImported:
    body, texts = call.body, call.texts()
    async with call.services.pool.acquire() as conn:
        done = await service.import_numbers(
            conn, call.account.id, body.text, campaign=body.campaign, by=call.who.name
        )
    lines = [
        RefusedLineView(**line._asdict(), message=texts.word("do-not-call.refused", line.reason))
        for line in done.lines
    ]
    return DoNotCallImported(**{**done._asdict(), "lines": lines})


_ALL = "/v1/accounts/{account}/do-not-call"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_numbers,
        summary="Numbers that are neither called nor written to, newest first",
        role="manager",
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=add_number,
        summary="Put a number on the do-not-call list; what waits for it is dropped",
        role="manager",
    ),
    Route(
        method="DELETE",
        path=_ALL + "/{number}",
        handler=remove_number,
        summary="Take a number off the do-not-call list",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account}/do-not-call-imports",
        handler=import_numbers,
        summary="Put all numbers of a list on it, with a report of the lines that hold none",
        role="senior_manager",
    ),
)
