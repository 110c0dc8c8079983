"""Outbound campaigns: what each is told to do, where it stands, and its commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from campaigns.engine import EngineTrouble
from campaigns.model import CampaignSettings
from campaigns.states import CampaignCommand, CampaignReason, CampaignState
from gateway.admin.campaigns import commands, saved
from gateway.admin.campaigns.words import campaign_in_words
from gateway.admin.protection.behind import behind_campaign
from gateway.admin.refused import NothingOfThatName
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, NoQuery, Route, may_see, not_found
from gateway.api.sent_time import SentTime
from gateway.store.campaigns import campaigns as store
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.engines import EngineRow, engine_of, engines_of
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn


class CentreView(Answer):
    """How a campaign that a contact centre dials was found there. trouble: why nothing is put in now, "" = all is well; message: in
    words. words: the contact centre's own. looked_at: when it answered last."""

    trouble: EngineTrouble | Literal[""]
    message: str
    words: str
    looked_at: datetime | None


class CampaignView(Answer):
    """id: as it is written into contacts. message: state and reason in words. is_kept_open: its technical row keeps it from
    ending by itself; kept_open_since: when the first number of a trigger made that row. contact_centre: where one dials it, and it was
    looked at; only where campaigns are asked for."""

    id: str
    name: str
    version: int
    settings: CampaignSettings
    state: CampaignState
    reason: CampaignReason
    message: str
    starts_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    is_kept_open: bool
    kept_open_since: datetime | None
    created_at: datetime
    created_by: str
    contact_centre: CentreView | None = None


class CampaignBody(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    settings: CampaignSettings


class CampaignChangeQuery(AccountLanguageQuery):
    """version: that was seen; absent: whichever there is."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class PlanBody(Body):
    starts_at: SentTime


def _centre(engine: EngineRow | None, texts: Texts) -> CentreView | None:
    if engine is None:
        return None
    return CentreView(
        trouble=engine.trouble,
        message=texts.word("campaign.trouble", engine.trouble) if engine.trouble else "",
        words=engine.words,
        looked_at=engine.looked_at,
    )


def _view(call: AnyCall, row: CampaignRow, engine: EngineRow | None = None) -> CampaignView:
    texts = call.texts(getattr(call.query, "lang", None))
    return CampaignView(
        id=row.campaign_id,
        name=row.name,
        version=row.version,
        settings=row.settings,
        state=row.state,
        reason=row.reason,
        message=campaign_in_words(row, texts),
        starts_at=row.starts_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        is_kept_open=row.kept_open.holds,
        kept_open_since=row.kept_open_at,
        created_at=row.created_at,
        created_by=row.created_by,
        contact_centre=_centre(engine, texts),
    )


async def the_campaign(call: AnyCall, conn: Conn) -> CampaignRow:
    """Return the one that the path names, else answer 404."""
    name = call.path["campaign"]
    try:
        return await saved.the_campaign(conn, call.account.id, name)
    except NothingOfThatName as err:
        raise not_found("campaign", name) from err


async def seen_campaign(call: AnyCall, conn: Conn) -> CampaignRow:
    """Return the one that the path names, else answer 404: also where its calls go by a template that is not the token's."""
    row = await the_campaign(call, conn)
    if not may_see(call, behind_campaign(row.settings)):
        raise not_found("campaign", row.name)
    return row


async def list_campaigns(call: ApiCall[AccountLanguageQuery, None]) -> Items[CampaignView]:
    async with call.services.pool.acquire() as conn:
        found = await store.campaigns_of(conn, call.account.id)
        engines = await engines_of(conn, call.account.id)
    shown = [row for row in found if may_see(call, behind_campaign(row.settings))]
    return Items[CampaignView](items=[_view(call, row, engines.get(row.campaign_id)) for row in shown])


async def show_campaign(call: ApiCall[AccountLanguageQuery, None]) -> CampaignView:
    async with call.services.pool.acquire() as conn:
        row = await seen_campaign(call, conn)
        return _view(call, row, await engine_of(conn, row))


async def make_campaign(call: ApiCall[AccountLanguageQuery, CampaignBody]) -> CampaignView:
    async with call.services.pool.acquire() as conn:
        made = await saved.make_campaign(
            conn, call.account.id, call.body.name, call.body.settings, by=call.who.name
        )
    return _view(call, made)


async def change_campaign(call: ApiCall[CampaignChangeQuery, CampaignSettings]) -> CampaignView:
    async with call.services.pool.acquire() as conn:
        row = await the_campaign(call, conn)
        changed = await saved.change_campaign(
            conn, call.account.id, row.name, call.body, version=call.query.version
        )
    return _view(call, changed)


async def plan_campaign(call: ApiCall[NoQuery, PlanBody]) -> CampaignView:
    async with call.services.pool.acquire() as conn:
        row = await the_campaign(call, conn)
        planned = await commands.command_campaign(
            conn, call.account.id, row.name, "plan", starts_at=call.body.starts_at
        )
    return _view(call, planned)


async def remove_kept_open(call: ApiCall) -> CampaignView:
    async with call.services.pool.acquire() as conn:
        row = await the_campaign(call, conn)
        return _view(call, await commands.remove_kept_open(conn, call.account.id, row.name))


def _commanded(command: CampaignCommand) -> Callable[[ApiCall], Awaitable[CampaignView]]:
    async def handle(call: ApiCall) -> CampaignView:
        async with call.services.pool.acquire() as conn:
            row = await the_campaign(call, conn)
            return _view(call, await commands.command_campaign(conn, call.account.id, row.name, command))

    return handle


_ALL = "/v1/accounts/{account}/campaigns"
_ONE = _ALL + "/{campaign}"
_SUMMARIES: tuple[tuple[CampaignCommand, str], ...] = (
    ("start", "Let it call, or go on calling"),
    ("pause", "Call nobody more for now; who is on the line stays"),
    ("stop", "Call nobody new; who was tried is tried to the end, then it has finished for good"),
    ("finish", "Call nobody any more: once who is on the line is done, it has finished for good"),
)
ROUTES = (
    Route(
        method="GET", path=_ALL, handler=list_campaigns, summary="Campaigns, newest first", role="read_only"
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=make_campaign,
        summary="Make a campaign, as a draft",
        description="Names are never used twice, for contacts keep them. 422 where it names what is not there.",
        status=201,
        errors=(409, 422),
    ),
    Route(method="GET", path=_ONE, handler=show_campaign, summary="One campaign", role="read_only"),
    Route(
        method="PUT",
        path=_ONE,
        handler=change_campaign,
        summary="Change what a campaign is told; who waits is called by it",
        errors=(409, 422),
    ),
    Route(
        method="POST",
        path=_ONE + "/plan",
        handler=plan_campaign,
        summary="Let it begin by itself at this moment",
        errors=(409,),
    ),
    *(
        Route(
            method="POST",
            path=f"{_ONE}/{command}",
            handler=_commanded(command),
            summary=summary,
            role="senior_manager",
            errors=(409,),
        )
        for command, summary in _SUMMARIES
    ),
    Route(
        method="DELETE",
        path=_ONE + "/kept-open",
        handler=remove_kept_open,
        summary="Take out the technical row that keeps it from ending by itself; it is not made again",
    ),
)
