"""Messenger channels of an account, and who may do what in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, JsonValue

from gateway.admin.channels import access, channels
from gateway.admin.channels.channels import ChannelOrder
from gateway.admin.protection.shown_settings import shown_settings
from gateway.admin.refused import NothingOfThatName
from gateway.api.admin.connections import ConnectionRemovalQuery
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.channels.addresses import channel_address
from gateway.store.channels.access import default_channels, rights_in_channels
from gateway.store.channels.channels import SavedChannel, saved_channels
from routing.dialogues.access import ChannelRight
from routing.dialogues.rules import ChannelRules
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.reasons import ChannelState

ChannelNameGiven = Annotated[
    str, Field(min_length=1, max_length=60, description="as people call it; may be changed")
]


class NewChannel(Body):
    """rules: as of `ChannelView`."""

    name: ChannelNameGiven
    kind: str
    keys: dict[str, str] = {}
    settings: dict[str, JsonValue] = {}
    rules: dict[str, JsonValue] = {}


class ChannelChange(Body):
    """What is absent stays as it is; null takes away what stands there. keys, settings: given whole, what they do not name goes.
    rules: only those that are named change; null makes one, or all, the default again."""

    name: ChannelNameGiven = ""
    keys: dict[str, str] | None = None
    settings: dict[str, JsonValue] | None = None
    rules: dict[str, JsonValue] | None = None
    is_on: bool = True


class ChannelView(Answer):
    """keys: only the names of the secrets that are set. lacks: keys and settings without which it cannot work. is_on: it makes
    deals and may be written from; else it is listened to only. state: `waiting` while it lacks something."""

    id: str
    name: str
    account: str
    kind: str
    keys: list[str]
    settings: dict[str, Any]
    rules: ChannelRules
    is_on: bool
    lacks: list[str]
    state: ChannelState
    state_words: str
    state_at: datetime


class ChannelAddressView(Answer):
    """url: where the messenger is to tell what is new; it holds a secret. null: it is asked instead."""

    url: str | None


class ChannelRightView(Answer):
    """is_default: this person writes from this channel."""

    channel: str
    employee: str
    may: ChannelRight
    is_default: bool


class ChannelRights(Body):
    """rights: by employee; null takes somebody out of the channel."""

    rights: dict[str, ChannelRight | None] = Field(max_length=1000)


class DefaultChannel(Body):
    employee: str = Field(max_length=64)


def view_of_channel(saved: SavedChannel) -> ChannelView:
    held = saved.channel
    return ChannelView(
        id=held.id,
        name=held.name,
        account=held.account_id,
        kind=held.kind,
        keys=sorted(held.keys),
        settings=shown_settings(held.settings),
        rules=saved.rules,
        is_on=saved.is_on,
        lacks=list(CHANNEL_KINDS[held.kind].missing(held)),
        state=saved.fares,
        state_words=saved.state_words,
        state_at=saved.state_at,
    )


async def the_channel(conn: Conn, call: AnyCall) -> SavedChannel:
    """Return the one that the path names."""
    name = call.path["channel"]
    try:
        return await channels.channel_of(conn, call.account.id, name)
    except NothingOfThatName as err:
        raise not_found("channel", name) from err


async def list_channels(call: ApiCall) -> Items[ChannelView]:
    async with call.services.pool.acquire() as conn:
        found = await saved_channels(conn, call.account.id)
    return Items[ChannelView](items=[view_of_channel(saved) for saved in found])


async def show_channel(call: ApiCall) -> ChannelView:
    async with call.services.pool.acquire() as conn:
        return view_of_channel(await the_channel(conn, call))


async def add_channel(call: ApiCall[NoQuery, NewChannel]) -> ChannelView:
    order = ChannelOrder(**call.body.model_dump())
    async with call.services.pool.acquire() as conn:
        allowed = call.services.allowed_to(call.who)
        return view_of_channel(await channels.add_channel(conn, call.account.id, order, allowed))


async def change_channel(call: ApiCall[NoQuery, ChannelChange]) -> ChannelView:
    changes = call.body.model_dump(exclude_unset=True)
    async with call.services.pool.acquire() as conn:
        saved = await the_channel(conn, call)
        allowed = call.services.allowed_to(call.who)
        return view_of_channel(
            await channels.change_channel(conn, call.account.id, saved.id, changes, allowed)
        )


async def remove_channel(call: ApiCall[ConnectionRemovalQuery, None]) -> None:
    async with call.services.pool.acquire() as conn:
        saved = await the_channel(conn, call)
        await channels.remove_channel(conn, call.account.id, saved.id, even_if_used=call.query.even_if_used)


async def show_address(call: ApiCall) -> ChannelAddressView:
    async with call.services.pool.acquire() as conn:
        saved = await the_channel(conn, call)
    return ChannelAddressView(url=channel_address(call.services.settings.base_url, saved))


async def list_rights(call: ApiCall) -> Items[ChannelRightView]:
    async with call.services.pool.acquire() as conn:
        return await _rights(conn, await the_channel(conn, call))


async def share_out(call: ApiCall[NoQuery, ChannelRights]) -> Items[ChannelRightView]:
    async with call.services.pool.acquire() as conn:
        saved = await the_channel(conn, call)
        await access.share_out(conn, call.account.id, saved.id, call.body.rights)
        return await _rights(conn, saved)


async def _rights(conn: Conn, saved: SavedChannel) -> Items[ChannelRightView]:
    rights = await rights_in_channels(conn, saved.account_id)
    chosen = await default_channels(conn, saved.account_id)
    views = [
        ChannelRightView(
            channel=saved.id, employee=who, may=of[saved.id], is_default=chosen.get(who) == saved.id
        )
        for who, of in sorted(rights.items())
        if saved.id in of
    ]
    return Items[ChannelRightView](items=views)


async def choose_default(call: ApiCall[NoQuery, DefaultChannel]) -> None:
    async with call.services.pool.acquire() as conn:
        saved = await the_channel(conn, call)
        await access.write_from(conn, call.account.id, saved.id, call.body.employee)


_ALL = "/v1/accounts/{account}/channels"
_ONE = _ALL + "/{channel}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_channels,
        summary="Messenger channels, and how each fares",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_ALL,
        handler=add_channel,
        summary="Connect a messenger channel; its keys are never shown again",
        status=201,
        errors=(409,),
    ),
    Route(
        method="GET", path=_ONE, handler=show_channel, summary="One messenger channel", role="senior_manager"
    ),
    Route(
        method="PATCH",
        path=_ONE,
        handler=change_channel,
        summary="Rename, switch or change a messenger channel",
        errors=(409,),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_channel,
        summary="Remove a messenger channel with its dialogues",
        description="409 with how many dialogues would go, unless `even_if_used`.",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_ONE + "/address",
        handler=show_address,
        summary="Where the messenger is to tell what is new; the address holds a secret",
    ),
    Route(
        method="GET",
        path=_ONE + "/rights",
        handler=list_rights,
        summary="Who may do what in a channel",
        role="senior_manager",
    ),
    Route(
        method="PUT",
        path=_ONE + "/rights",
        handler=share_out,
        summary="Give employees rights in a channel, or take them out of it",
    ),
    Route(
        method="PUT",
        path=_ONE + "/default",
        handler=choose_default,
        summary="Have an employee write from this channel",
    ),
)
