"""What is to go out and what went: calls, texts and numbers of campaigns, each with its attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from gateway.admin.outbound import items as service
from gateway.admin.outbound import why_not as whys
from gateway.admin.refused import NothingOfThatName
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.distribution.template_views import CrmEntityId
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, Route, not_found
from gateway.api.pages import next_page, page_after
from gateway.api.sent_time import SentTime
from gateway.api.sms.messages import SmsMessageView, message_view
from gateway.api.unseen import unseen_by
from gateway.outbound.around import CallingAccount, calling_account
from gateway.store.admin.accounts import account as account_row
from gateway.store.outbound.attempts import AttemptRow
from gateway.store.outbound.items import OutboundItem, OutboundKind, OutboundSource, OutboundState
from gateway.store.outbound.listing import OutboundFilter, listed_items
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn


class OutboundQuery(AccountLanguageQuery):
    """client: in any spelling. since, until: when it came."""

    state: OutboundState | None = None
    kind: OutboundKind | None = None
    campaign: Annotated[str, Field(max_length=200)] | None = None
    trigger: Annotated[str, Field(max_length=200)] | None = None
    deal: CrmEntityId | None = None
    client: Annotated[str, Field(max_length=60)] | None = None
    reason: Annotated[str, Field(max_length=60)] | None = None
    since: SentTime | None = None
    until: SentTime | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str, Field(max_length=200, description="`next` of the page before")] | None = None


class OutboundItemView(Answer):
    """client: null until it was read. reason: why it waits, or how it ended; message says it. look_at: when it is looked at again.
    tries: by the rule of the retries that they came to. trigger, version: by which it came, null = by none."""

    id: str
    kind: OutboundKind
    source: OutboundSource
    state: OutboundState
    reason: str
    message: str
    client: str | None
    deal: str | None
    url: str | None
    contact: str | None
    employee: str | None
    connection: str | None
    line: str | None
    campaign: str | None
    trigger: str | None
    version: int | None
    firing: str | None
    priority: int
    tries: dict[str, int]
    not_before: datetime
    expires_at: datetime | None
    look_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class OutboundAttemptView(Answer):
    """side: on whose side it ended. raw: the PBX's own words. call: by which its events are known."""

    id: str
    employee: str | None
    extension: str | None
    group: str | None
    connection: str
    line: str | None
    state: str
    side: str | None
    reason: str | None
    message: str
    raw: str
    call: str | None
    claimed_at: datetime
    placed_at: datetime | None
    over_at: datetime | None


class WhyNotStep(Answer):
    """because: ok, or the reason that decided."""

    rule: str
    verdict: str
    because: str
    message: str


class WhyNotView(Answer):
    """reason: dial = it is placed this moment. zone, zone_source: by whose clock the client lives, and how that is known; null of
    what does not wait, and of texts. look_at: when that may change."""

    state: OutboundState
    reason: str
    message: str
    zone: str | None
    zone_source: str | None
    look_at: datetime | None
    steps: list[WhyNotStep]


class SettleBody(Body):
    """is_reached: what a person found out."""

    is_reached: bool


class OutboundItemInFull(OutboundItemView):
    """order: the action as it was when it was ordered. texts: messages that were written of it."""

    order: dict[str, Any]
    attempts: list[OutboundAttemptView]
    texts: list[SmsMessageView]


def view_of(call: AnyCall, item: OutboundItem, texts: Texts, gate: str = "") -> OutboundItemView:
    """gate: what keeps all calls of the account from going out."""
    return OutboundItemView(
        id=item.item_id,
        kind=item.kind,
        source=item.source,
        state=item.state,
        reason=item.reason,
        message=service.item_message(item, texts, gate),
        client=item.client,
        deal=item.deal_id,
        url=call.services.url_of(item.account_id, "deal", item.deal_id) if item.deal_id else None,
        contact=item.contact_id,
        employee=item.employee_id,
        connection=item.connection,
        line=item.line,
        campaign=item.campaign,
        trigger=item.order.get("trigger"),
        version=item.order.get("version"),
        firing=item.firing_id,
        priority=item.priority,
        tries=dict(item.counters),
        not_before=item.not_before,
        expires_at=item.expires_at,
        look_at=item.look_at,
        created_at=item.created_at,
        ended_at=item.ended_at,
    )


def _attempt(row: AttemptRow, texts: Texts) -> OutboundAttemptView:
    return OutboundAttemptView(
        id=row.attempt_id,
        employee=row.employee_id,
        extension=row.extension,
        group=row.group_number,
        connection=row.connection,
        line=row.line,
        state=row.state,
        side=row.side,
        reason=row.reason,
        message=service.attempt_message(row, texts),
        raw=row.raw,
        call=row.call_key,
        claimed_at=row.claimed_at,
        placed_at=row.placed_at,
        over_at=row.over_at,
    )


async def list_items(call: ApiCall[OutboundQuery, None]) -> Items[OutboundItemView]:
    query, account = call.query, call.account
    async with call.services.pool.acquire() as conn:
        client = None if query.client is None else await service.client_meant(conn, account.id, query.client)
        unseen = await unseen_by(call, conn)
        wanted = OutboundFilter(
            templates=unseen.own,
            without_campaigns=unseen.campaigns,
            without_triggers=unseen.triggers,
            state=query.state,
            kind=query.kind,
            campaign=query.campaign,
            trigger=query.trigger,
            deal_id=query.deal,
            client=client,
            reason=query.reason,
            since=query.since,
            until=query.until,
            after=page_after(query.after) if query.after else None,
        )
        found = await listed_items(conn, account.id, wanted, limit=query.limit + 1)
        gate = service.gate_of(await account_row(conn, account.id))
    shown, texts = found[: query.limit], call.texts(query.lang)
    more = next_page(shown[-1].created_at, shown[-1].item_id) if len(found) > len(shown) else None
    return Items[OutboundItemView](items=[view_of(call, item, texts, gate) for item in shown], next=more)


async def _refuse_unseen(call: AnyCall, conn: Conn) -> None:
    """Raise NothingOfThatName, also where it is of a template that is not the token's."""
    item = await service.the_item(conn, call.account.id, call.path["item"])
    if (await unseen_by(call, conn)).has(item):
        raise NothingOfThatName("outbound item", item.item_id, "outbound list")


async def show_item(call: ApiCall[AccountLanguageQuery, None]) -> OutboundItemInFull:
    texts = call.texts(call.query.lang)
    async with call.services.pool.acquire() as conn:
        try:
            await _refuse_unseen(call, conn)
            full = await service.item_in_full(conn, call.account.id, call.path["item"])
            gate = service.gate_of(await account_row(conn, call.account.id))
        except NothingOfThatName as err:
            raise not_found("outbound-item", call.path["item"]) from err
    return OutboundItemInFull(
        **view_of(call, full.item, texts, gate).model_dump(),
        order=dict(full.item.order),
        attempts=[_attempt(row, texts) for row in full.attempts],
        texts=[message_view(row, texts) for row in full.texts],
    )


def _around(call: AnyCall) -> CallingAccount:
    services = call.services
    around = calling_account(services.configuration.now, call.account.id, services.kinds, services.at_work)
    assert around is not None, "the route's account is known"
    return around


async def why_not(call: ApiCall[AccountLanguageQuery, None]) -> WhyNotView:
    texts, around = call.texts(call.query.lang), _around(call)
    async with call.services.pool.acquire() as conn:
        try:
            await _refuse_unseen(call, conn)
            why = await whys.why_not_now(conn, around, call.path["item"])
        except NothingOfThatName as err:
            raise not_found("outbound-item", call.path["item"]) from err
    return why_view(why, around, texts)


def why_view(why: whys.WhyNotCalled, around: CallingAccount, texts: Texts) -> WhyNotView:
    looked = why.looked
    return WhyNotView(
        state=why.item.state,
        reason=looked.decision.reason if looked else why.item.reason,
        message=whys.why_in_words(why, around.staff, around.zone, texts),
        zone=looked.facts.zone.zone.key if looked else None,
        zone_source=looked.facts.zone.source if looked else None,
        look_at=looked.decision.look_at if looked else None,
        steps=[
            WhyNotStep(
                rule=step.rule,
                verdict=step.verdict,
                because=step.because,
                message=texts.word("outbound.rule", step.rule),
            )
            for step in (looked.decision.steps if looked else ())
        ],
    )


async def settle(call: ApiCall[AccountLanguageQuery, SettleBody]) -> OutboundItemView:
    texts = call.texts(call.query.lang)
    async with call.services.pool.acquire() as conn:
        try:
            await _refuse_unseen(call, conn)
            item = await whys.settle_item(
                conn, _around(call), call.path["item"], is_reached=call.body.is_reached
            )
        except NothingOfThatName as err:
            raise not_found("outbound-item", call.path["item"]) from err
    return view_of(call, item, texts)


_ALL = "/v1/accounts/{account}/outbound/items"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_items,
        summary="What is to go out and what went, newest first",
        role="manager",
    ),
    Route(
        method="GET",
        path=_ALL + "/{item}",
        handler=show_item,
        summary="One item with its attempts and messages",
        role="manager",
    ),
    Route(
        method="GET",
        path=_ALL + "/{item}/why-not",
        handler=why_not,
        summary="Why an item does not go out now: what the dialler would say of it this moment",
        role="manager",
    ),
    Route(
        method="POST",
        path=_ALL + "/{item}/settle",
        handler=settle,
        summary="Say what became of a call of which nobody knows: the item ends with all that comes of it, once",
        role="manager",
        errors=(409,),
    ),
)
