"""Calls placed over a short AMI session of their own: the link that listens keeps to listening, and may be another worker's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp

from gateway.pbx.asterisk.link import AmiAddress, AmiLink, AmiLost, AmiRefused, address_of, ami_link
from gateway.pbx.asterisk.originate.orders import employees_channel, found, originate_fields, refused
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.capabilities import (
    Cancelled,
    CancelResult,
    CannotTell,
    FindResult,
    NotSeen,
    Originator,
    OriginatorSkills,
    Placed,
    PlaceOrder,
    PlaceResult,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid

_TROUBLE = (OSError, TimeoutError, AmiLost, WireInvalid)
_ANSWER_SECONDS = 10.0
_CHANNEL_SECONDS = 2.0
_LIST = "channels"


class AmiOriginator(Originator):
    """answer_seconds: how long Asterisk may take to answer. channel_seconds: how long we look, after it has taken an order,
    whether it makes a channel: for a phone that it does not know it makes none, and nothing would be heard of the attempt."""

    skills = OriginatorSkills(
        knows_operator_side=True, is_cancellable=True, shows_line=True, takes_group=False, has_own_id=True
    )

    def __init__(
        self, answer_seconds: float = _ANSWER_SECONDS, channel_seconds: float = _CHANNEL_SECONDS
    ) -> None:
        self._answer_seconds = answer_seconds
        self._channel_seconds = channel_seconds

    async def place(
        self, session: aiohttp.ClientSession, connection: Connection, order: PlaceOrder
    ) -> PlaceResult:
        """As Originator. What fails before the action was written has rung nobody; from then on it may have."""
        try:
            fields = originate_fields(order, connection)
        except WireInvalid as err:
            is_all = err.field.startswith("originate_")
            return RefusedByPbx(
                code="order-invalid", words=str(err), concerns="connection" if is_all else "this_call"
            )
        is_written = False
        try:
            async with _link(connection) as link:
                is_written = True
                link.send_all("Originate", fields)
                return await self._told(link, order.attempt_id)
        except _TROUBLE as err:
            if is_written:
                return PlaceUnknown(_why(err))
            is_mine = isinstance(err, (AmiRefused, WireInvalid))  # it will be refused again
            return RefusedByPbx(
                code=getattr(err, "code", "ami-lost"),
                words=_why(err),
                concerns="connection" if is_mine else "link",
            )

    async def _told(self, link: AmiLink, attempt_id: str) -> PlaceResult:
        """Wait for the response, then a moment for the channel. A link that breaks after the response changes nothing of it."""
        messages = link.messages()
        async with asyncio.timeout(self._answer_seconds):
            async for message in messages:
                if _is_channel(message, attempt_id):
                    return Placed()
                if message.response and message.action_id == attempt_id:
                    break
        if message.response != "Success":
            return refused(message)
        try:
            async with asyncio.timeout(self._channel_seconds):
                failure = await _failure(messages, attempt_id)
            return Placed() if failure is None else await self._failed(link, messages, attempt_id)
        except _TROUBLE:
            return Placed()

    async def _failed(
        self, link: AmiLink, messages: AsyncIterator[AmiMessage], attempt_id: str
    ) -> PlaceResult:
        """Asterisk made no channel: it does not know the phone, or has a call of this id already, which then lives."""
        async with asyncio.timeout(self._answer_seconds):
            channels = await _channels(link, messages)
        if channels is not None and not isinstance(found(channels, attempt_id), NotSeen):
            return Placed()
        return RefusedByPbx(
            code="originate-failed", words="Asterisk made no channel for this phone", concerns="this_call"
        )

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        """As Originator. Asterisk remembers no call that is over: how one ended is told by its events only."""
        try:
            async with _link(connection) as link, asyncio.timeout(self._answer_seconds):
                channels = await _channels(link, link.messages())
        except _TROUBLE as err:
            return CannotTell(_why(err))
        return CannotTell(_NO_LIST) if channels is None else found(channels, attempt_id)

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        """As Originator. The employee's leg takes the client's with it."""
        try:
            async with _link(connection) as link, asyncio.timeout(self._answer_seconds):
                messages = link.messages()
                channels = await _channels(link, messages)
                if channels is None:
                    return CannotTell(_NO_LIST)
                return await _hung_up(link, messages, employees_channel(channels, attempt_id))
        except _TROUBLE as err:
            return CannotTell(_why(err))


_NO_LIST = "Asterisk does not let us list channels: write=reporting in manager.conf"


@asynccontextmanager
async def _link(connection: Connection) -> AsyncIterator[AmiLink]:
    address: AmiAddress | None = address_of(connection)
    if address is None:
        raise AmiRefused("the connection has no ami_host")
    async with ami_link(address) as link:
        yield link


def _why(err: BaseException) -> str:
    if isinstance(err, TimeoutError):
        return "Asterisk did not answer in time"
    return str(err) or type(err).__name__


def _is_channel(message: AmiMessage, attempt_id: str) -> bool:
    """Whether it tells of a channel of the attempt; an event filter may keep some kinds of events away."""
    named = (message.get("Uniqueid"), message.get("DestUniqueid"), message.get("Linkedid"))
    return message.event not in (None, "OriginateResponse") and attempt_id in named


async def _failure(messages: AsyncIterator[AmiMessage], attempt_id: str) -> AmiMessage | None:
    """Return OriginateResponse where it comes without a channel before it; None: there is a channel."""
    async for message in messages:
        if _is_channel(message, attempt_id):
            return None
        if message.event == "OriginateResponse" and message.action_id == attempt_id:
            return message if message.get("Response") == "Failure" else None
    return None


async def _channels(link: AmiLink, messages: AsyncIterator[AmiMessage]) -> list[AmiMessage] | None:
    """Return the living channels; None: Asterisk does not let us list them."""
    link.send("CoreShowChannels", ActionID=_LIST)
    listed: list[AmiMessage] = []
    async for message in messages:
        if message.action_id != _LIST:
            continue
        if message.response == "Error":
            return None
        if message.event == "CoreShowChannelsComplete":
            break
        if message.event == "CoreShowChannel":
            listed.append(message)
    return listed


async def _hung_up(link: AmiLink, messages: AsyncIterator[AmiMessage], channel: str | None) -> CancelResult:
    if channel is None:
        return NotSeen()
    link.send("Hangup", ActionID="cancel", Channel=channel)
    async for message in messages:
        if message.action_id != "cancel" or not message.response:
            continue
        if message.response == "Success":
            return Cancelled()
        words = message.get("Message")
        return NotSeen() if "no such channel" in words.lower() else CannotTell(words)
    return CannotTell("Asterisk did not answer")
