"""The journal: calls as they were folded from what the PBXs told, with their source and number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.calls.journal import CallsAsked, call_filter
from gateway.api.frame import Answer, ApiCall, ApiError, Body, Items, Route, not_found
from gateway.api.sent_time import SentTime
from gateway.store.calls import calls as store
from gateway.store.calls.journal import page_of
from gateway.store.campaigns.of_call import campaign_as_decided
from routing.calls.model import Disposition, FailedSide
from routing.client_work.values import CallRow

_LONGEST_AGO = timedelta(days=31)


class CallsQuery(Body):
    """Calls that started in [since, until); since: a month ago where it is not given. kind: a row of the matrix. employee: who took
    part. result `unknown`: answered by nobody known; `under_way`: not over. reason: of the PBX's question. writes: changes in the CRM
    that wait, or were given up."""

    since: SentTime | None = None
    until: SentTime | None = None
    client: Annotated[
        str | None,
        Field(max_length=40, description="phone number in any spelling, or its last 3 to 6 digits"),
    ] = None
    line: Annotated[str | None, Field(max_length=200)] = None
    connection: Annotated[str | None, Field(max_length=63)] = None
    employee: Annotated[str | None, Field(max_length=100)] = None
    direction: Literal["inbound", "outbound", "internal"] | None = None
    result: Literal["answered", "unknown", "missed", "not_reached", "under_way"] | None = None
    kind: Annotated[str | None, Field(max_length=60)] = None
    reason: Annotated[str | None, Field(max_length=60)] = None
    writes: Literal["waiting", "dead"] | None = None
    order: Literal["oldest", "newest"] = "oldest"
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[str, Field(max_length=200, description="`next` of the page before")] | None = None


class TalkView(Answer):
    """One employee's part of a call. party: the address as the PBX names it."""

    party: str | None
    started_at: datetime
    ended_at: datetime | None


class LegView(Answer):
    """One phone for as long as it was in a call. rang_at null: nothing told that it rang. answered_at null: nobody picked it up.
    left_at null: it goes on, or nothing told of its end. cause: why it stopped ringing, where that is told."""

    party: str | None
    rang_at: datetime | None
    answered_at: datetime | None
    left_at: datetime | None
    cause: Disposition | None


class LookupOfCallView(Answer):
    """The PBX's question about a call. joined_by `id`: it named the call; `time`: same client, line and seconds."""

    decision_id: str
    reason: str
    joined_by: str


class CallTrialView(Answer):
    """Of a call that began while a version was on trial: its number, and whether that one decides about the call."""

    version: int
    is_on_trial: bool
    because: Literal["share", "line", "case"]


class CallView(Answer):
    """talks: who talked with the client, in order. legs: each phone that rang, with its times; empty for calls that were stored
    before they were kept. failed_side: of a call that we made and nobody talked in, whose side it was; null where the PBX does not tell.
    left_waiting: who talked last passed the client on, and nobody took over. attempt: of a call that the gateway ordered, the id of its attempt, where the PBX carries it.
    talk_seconds null: not known yet. params: what the PBX sent with it (utm_*, pool, …). removed: what was emptied because its days
    were over or the client asked for it (number, recordings, params). trial: the side of a trial that it is on, null: none ran. moments: ids of decisions.
    people: ids of employees who took part; null for calls that were stored before it was kept. lookup: null where the PBX did not ask."""

    call_id: str
    connection: str
    pbx_call_id: str
    client: str | None
    line: str | None
    direction: Literal["inbound", "outbound", "internal"]
    disposition: str
    failed_side: FailedSide | None
    left_waiting: bool
    attempt: str | None
    is_over: bool
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    talk_seconds: int | None
    wait_seconds: int | None
    answered_by: str | None
    talks: list[TalkView]
    legs: list[LegView]
    recordings: list[str]
    client_kind: str | None
    matrix_version: int | None
    trial: CallTrialView | None
    params: dict[str, str]
    removed: list[str]
    moments: dict[str, str]
    people: list[str] | None
    lookup: LookupOfCallView | None


class CallCampaignView(Answer):
    """id: as it is written into contacts. client, client_id, data: as the list has them."""

    id: str
    name: str
    client: str
    client_id: str
    data: dict[str, str]


class CallInFull(CallView):
    """campaign: that made the call, or ran while its client called; null: none."""

    campaign: CallCampaignView | None = None


def view_of(row: CallRow) -> CallView:
    call = row.call
    return CallView(
        call_id=row.call_id,
        connection=row.connection_id,
        pbx_call_id=row.call_key,
        client=row.client,
        line=row.line,
        direction=call.direction,
        disposition=call.disposition.value,
        failed_side=call.failed_side,
        left_waiting=call.is_left_waiting,
        attempt=call.attempt,
        is_over=call.is_over,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        talk_seconds=call.talk_seconds,
        wait_seconds=call.wait_seconds,
        answered_by=call.answered_by,
        talks=[TalkView(**talk.model_dump()) for talk in call.talks],
        legs=[LegView(**leg.model_dump()) for leg in call.legs],
        recordings=list(call.recordings),
        client_kind=row.client_kind.value if row.client_kind else None,
        matrix_version=row.matrix_version,
        trial=CallTrialView.model_validate(row.trial) if row.trial else None,
        params=dict(call.params),
        removed=list(row.emptied),
        moments=dict(row.moments),
        people=None if row.people is None else list(row.people),
        lookup=LookupOfCallView(**row.lookup._asdict()) if row.lookup else None,
    )


async def list_calls(call: ApiCall[CallsQuery, None]) -> Items[CallView]:
    query = call.query
    asked = query.model_dump(exclude={"order", "limit", "after"})
    now = datetime.now(UTC)
    asked = {
        **asked,
        "since": query.since or now - _LONGEST_AGO,
        "until": query.until or now + timedelta(days=1),
    }
    policy = call.services.configuration.now.policy_of(call.account.id)
    async with call.services.pool.acquire() as conn:
        rows = await page_of(
            conn,
            call.account.id,
            await call_filter(conn, call.account, policy, CallsAsked(**asked)),
            towards="newer" if query.order == "oldest" else "older",
            place=_place(query.after),
            limit=query.limit,
        )
    last = rows[-1] if len(rows) == query.limit else None
    next_page = f"{last.call.started_at.isoformat()} {last.call_id}" if last else None
    return Items[CallView](items=[view_of(row) for row in rows], next=next_page)


def _place(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    at, _, call_id = after.rpartition(" ")
    try:
        place = datetime.fromisoformat(at.replace(" ", "+"))
    except ValueError as err:
        raise ApiError(400, "invalid-input", "This is no `next` of a page.", field="after") from err
    if place.tzinfo is None:
        raise ApiError(400, "invalid-input", "This is no `next` of a page.", field="after")
    return place, call_id


async def show_call(call: ApiCall) -> CallInFull:
    try:
        async with call.services.pool.acquire() as conn:
            row = await store.call(conn, call.account.id, call.path["call"])
            told = await campaign_as_decided(conn, call.account.id, list(row.moments.values()))
    except store.NoSuchCall as err:
        raise not_found("call", call.path["call"]) from err
    campaign = None
    if told is not None:
        of, data = told
        campaign = CallCampaignView(
            id=of.id, name=of.name, client=of.client_name, client_id=of.client_id, data=dict(data)
        )
    return CallInFull(**view_of(row).model_dump(), campaign=campaign)


_ALL = "/v1/accounts/{account}/calls"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_calls,
        summary="The journal of calls by any of its filters, oldest first or newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ALL + "/{call}",
        handler=show_call,
        summary="One call",
        role="read_only",
    ),
)
