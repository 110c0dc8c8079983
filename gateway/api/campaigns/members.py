"""Who is in a campaign: in the order of its list, each with what became of the call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.campaigns import commands
from gateway.admin.campaigns.words import member_reason_in_words
from gateway.admin.input_words import E164
from gateway.admin.refused import NothingOfThatName
from gateway.api.campaigns.campaigns import seen_campaign, the_campaign
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.store.campaigns import members as store
from gateway.store.campaigns.members import MemberRow, MemberSource
from routing.texts.catalogue import Texts

MemberState = Literal[
    "held", "waiting", "dialling", "succeeded", "failed", "unknown", "expired", "cleared", "dropped"
]


class MembersQuery(AccountLanguageQuery):
    """after: `next` of the page before."""

    state: MemberState | None = None
    reason: Annotated[str, Field(max_length=40)] | None = None
    number: Annotated[str, Field(pattern=E164)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class MemberView(Answer):
    """state: held = their turn has not come. item: of what goes out, with its attempts. client_id, data: as the list has them.
    not_before: of who waits for another try."""

    number: str
    item: str
    place: int
    name: str
    client_id: str
    data: dict[str, str]
    source: MemberSource
    state: MemberState
    reason: str
    message: str
    tries: int
    not_before: datetime | None
    deal: str | None
    contact: str | None
    employee: str | None
    added_at: datetime
    ended_at: datetime | None


_Text = Annotated[str, Field(max_length=commands.LONGEST_MEMBER_TEXT)]


class MemberBody(Body):
    """number: as it is typed. client_id: as you call the client."""

    number: Annotated[str, Field(min_length=1, max_length=commands.LONGEST_NUMBER)]
    name: _Text = ""
    client_id: _Text = ""


class MemberAdded(Answer):
    """is_new: false where the number was there already."""

    is_new: bool


def _view(row: MemberRow, texts: Texts) -> MemberView:
    waits = row.ended_at is None and row.state in ("held", "waiting") and bool(row.counters)
    return MemberView(
        number=row.number,
        item=row.item_id,
        place=row.place,
        name=row.name,
        client_id=row.client_id,
        data=dict(row.data),
        source=row.source,
        state=row.state,
        reason=row.reason,
        message=member_reason_in_words(row.reason, texts),
        tries=row.tries,
        not_before=row.not_before if waits else None,
        deal=row.deal_id,
        contact=row.contact_id,
        employee=row.employee_id,
        added_at=row.added_at,
        ended_at=row.ended_at,
    )


async def list_members(call: ApiCall[MembersQuery, None]) -> Items[MemberView]:
    query = call.query
    async with call.services.pool.acquire() as conn:
        row = await seen_campaign(call, conn)
        found = await store.listed_members(
            conn,
            row,
            state=query.state,
            reason=query.reason,
            number=query.number,
            after=query.after,
            limit=query.limit + 1,
        )
    shown, texts = found[: query.limit], call.texts(query.lang)
    more = str(shown[-1].place) if len(found) > len(shown) else None
    return Items[MemberView](items=[_view(one, texts) for one in shown], next=more)


async def add_member(call: ApiCall[NoQuery, MemberBody]) -> MemberAdded:
    policy = call.services.configuration.now.policy_of(call.account.id)
    async with call.services.pool.acquire() as conn:
        row = await the_campaign(call, conn)
        done = await commands.add_member(
            conn,
            call.account.id,
            row.name,
            call.body.number,
            policy,
            who=call.body.name,
            client_id=call.body.client_id,
        )
    return MemberAdded(is_new=done == "added")


async def take_member_out(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        row = await the_campaign(call, conn)
        try:
            await commands.take_member_out(conn, call.account.id, row.name, call.path["number"])
        except NothingOfThatName as err:
            raise not_found("number", call.path["number"]) from err


_ALL = "/v1/accounts/{account}/campaigns/{campaign}/members"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_members,
        summary="Who is in a campaign, in the order of its list",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=add_member,
        summary="Add one number; one that is there already is no error",
        status=201,
        errors=(409,),
    ),
    Route(
        method="DELETE",
        path=_ALL + "/{number}",
        handler=take_member_out,
        summary="Take out one who waits, without stage and task",
        errors=(409,),
    ),
)
