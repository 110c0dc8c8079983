"""SMS providers of an account."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, JsonValue

from gateway.admin.input_words import SHORT_NAME, described
from gateway.admin.protection.shown_settings import shown_settings
from gateway.admin.refused import NothingOfThatName
from gateway.admin.sms import connections
from gateway.admin.sms.connections import SmsConnectionOrder
from gateway.api.admin.connections import ConnectionRemovalQuery
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.sms.addresses import report_address
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from gateway.store.sms.links import SmsLinkHeard, links_heard
from runtime.database.pool import Conn
from sms.kinds import SMS_KINDS
from sms.reasons import SmsReason

SenderName = Annotated[str, Field(description="name that recipients see; else the provider's own")]


class NewSmsConnection(Body):
    name: Annotated[str, described(SHORT_NAME)]
    kind: str
    sender: SenderName | None = None
    keys: dict[str, str] = {}
    settings: dict[str, JsonValue] = {}


class SmsConnectionChange(Body):
    """What is absent stays as it is; null takes away what stands there. keys, settings: given whole, what they do not name goes."""

    sender: SenderName | None = None
    keys: dict[str, str] | None = None
    settings: dict[str, JsonValue] | None = None
    is_on: bool = True


class SmsStopView(Answer):
    """Why nothing goes out. words: the provider's own. try_at: when one message is tried again."""

    reason: SmsReason
    words: str
    since: datetime
    try_at: datetime | None


class SmsLinkView(Answer):
    """How the link fares that this kind keeps. since: when it first was so. reason, words: why it is down; words are the other
    side's, or the network's."""

    is_up: bool
    since: datetime
    reason: SmsReason | None
    words: str


class SmsConnectionView(Answer):
    """keys: only the names of the secrets that are set. lacks: keys and settings without which nothing can be sent.
    balance: what was left when it was last asked for, at balance_at. link: null = this kind keeps none, or nobody has tried yet."""

    name: str
    account: str
    kind: str
    sender: str | None
    keys: list[str]
    settings: dict[str, Any]
    is_on: bool
    lacks: list[str]
    stop: SmsStopView | None
    link: SmsLinkView | None
    balance: Decimal | None
    currency: str
    balance_at: datetime | None
    balance_error: str


class SmsReportAddressView(Answer):
    """url: to be written into the provider's cabinet as the address of reports; it holds a secret. null: this kind of provider
    reports nowhere."""

    url: str | None


def view_of(saved: SavedSmsConnection, link: SmsLinkHeard | None = None) -> SmsConnectionView:
    held = saved.connection
    return SmsConnectionView(
        name=held.name,
        account=held.account_id,
        kind=held.kind,
        sender=saved.sender,
        keys=sorted(held.keys),
        settings=shown_settings(held.settings),
        is_on=saved.is_on,
        lacks=list(SMS_KINDS[held.kind].missing(held)),
        stop=SmsStopView.model_validate(saved.stop) if saved.stop else None,
        link=SmsLinkView.model_validate(link) if link else None,
        balance=saved.balance.amount if saved.balance else None,
        currency=saved.balance.currency if saved.balance else "",
        balance_at=saved.balance_at,
        balance_error=saved.balance_error,
    )


async def _shown(conn: Conn, saved: SavedSmsConnection) -> SmsConnectionView:
    links = await links_heard(conn, saved.account_id)
    return view_of(saved, links.get((saved.account_id, saved.name)))


async def the_connection(conn: Conn, call: AnyCall) -> SavedSmsConnection:
    """Return the one that the path names."""
    name = call.path["sms"]
    try:
        return await connections.sms_connection_of(conn, call.account.id, name)
    except NothingOfThatName as err:
        raise not_found("sms-connection", name) from err


async def list_connections(call: ApiCall) -> Items[SmsConnectionView]:
    async with call.services.pool.acquire() as conn:
        found = await sms_connections(conn, call.account.id)
        links = await links_heard(conn, call.account.id)
    views = [view_of(saved, links.get((saved.account_id, saved.name))) for saved in found]
    return Items[SmsConnectionView](items=views)


async def show_connection(call: ApiCall) -> SmsConnectionView:
    async with call.services.pool.acquire() as conn:
        return await _shown(conn, await the_connection(conn, call))


async def add_connection(call: ApiCall[NoQuery, NewSmsConnection]) -> SmsConnectionView:
    order = SmsConnectionOrder(**call.body.model_dump())
    async with call.services.pool.acquire() as conn:
        added = await connections.add_sms_connection(
            conn, call.account.id, order, call.services.allowed_to(call.who)
        )
    return view_of(added)


async def change_connection(call: ApiCall[NoQuery, SmsConnectionChange]) -> SmsConnectionView:
    changes = call.body.model_dump(exclude_unset=True)
    async with call.services.pool.acquire() as conn:
        await the_connection(conn, call)
        changed = await connections.change_sms_connection(
            conn, call.account.id, call.path["sms"], changes, call.services.allowed_to(call.who)
        )
        return await _shown(conn, changed)


async def remove_connection(call: ApiCall[ConnectionRemovalQuery, None]) -> None:
    async with call.services.pool.acquire() as conn:
        await the_connection(conn, call)
        await connections.remove_sms_connection(
            conn, call.account.id, call.path["sms"], even_if_used=call.query.even_if_used
        )


async def look_again(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        await the_connection(conn, call)
        await connections.look_again(conn, call.account.id, call.path["sms"])


async def show_report_address(call: ApiCall) -> SmsReportAddressView:
    async with call.services.pool.acquire() as conn:
        saved = await the_connection(conn, call)
    return SmsReportAddressView(url=report_address(call.services.settings.base_url, saved))


_ALL = "/v1/accounts/{account}/sms-connections"
_ONE = _ALL + "/{sms}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_connections,
        summary="SMS providers, with what is known of their money",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=add_connection,
        summary="Connect an SMS provider; its keys are never shown again",
        status=201,
        errors=(409,),
    ),
    Route(method="GET", path=_ONE, handler=show_connection, summary="One SMS provider", role="read_only"),
    Route(
        method="PATCH",
        path=_ONE,
        handler=change_connection,
        summary="Change an SMS provider; one that stopped is tried again at once",
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_connection,
        summary="Remove an SMS provider",
        description="409 with what is sent through it, unless `even_if_used`.",
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_ONE + "/check",
        handler=look_again,
        summary="Have an SMS provider asked for its money now, and where it is stopped one message tried",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path=_ONE + "/report-address",
        handler=show_report_address,
        summary="Where the provider is to report; the address holds a secret",
    ),
)
