"""A link of its own to the manager interface, for the phones alone: what is missed while it is away is asked anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from gateway.pbx.asterisk.link import AmiLost, AmiRefused, ami_link
from gateway.pbx.asterisk.link import address_of as ami_address_of
from gateway.pbx.asterisk.phones.states import SNAPSHOT, SNAPSHOT_ENDS, AsteriskPhones
from gateway.pbx.call_log import PbxRefused, PbxUnreachable
from gateway.pbx.capabilities import PhoneState, TellPhones
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid

_CALM_SECONDS = 1.0
_AGAIN_SECONDS = 20.0
_SNAPSHOT_SECONDS = 10.0
"""An Asterisk that does not let us ask for a list still tells of what changes."""


class AmiPhones:
    """As PresenceSource. ping_seconds: of silence before Asterisk is asked whether it lives."""

    def __init__(self, ping_seconds: float = 10.0) -> None:
        self._ping_seconds = ping_seconds

    async def watch(self, connection: Connection, tell: TellPhones) -> None:
        address = ami_address_of(connection)
        if address is None:
            raise PbxRefused("the connection has no ami_host")
        try:
            async with ami_link(address, ping_seconds=self._ping_seconds) as link:
                for action in SNAPSHOT:
                    link.send(action, ActionID=action)
                phones, news, waiting = AsteriskPhones(), asyncio.Event(), set(SNAPSHOT_ENDS)
                telling = asyncio.create_task(_tell(phones, news, waiting, tell))
                try:
                    async for message in link.messages():
                        waiting.discard((message.event or "").lower())
                        if message.response == "Error":
                            waiting.discard(f"{message.action_id}Complete".lower())
                        if phones.take(message) or not waiting:
                            news.set()
                        if telling.done():
                            break
                finally:
                    telling.cancel()
                await telling
        except AmiRefused as err:
            raise PbxRefused(str(err)) from err
        except (AmiLost, WireInvalid, TimeoutError, ConnectionError) as err:
            raise PbxUnreachable(str(err) or type(err).__name__) from err


async def _tell(phones: AsteriskPhones, news: asyncio.Event, waiting: set[str], tell: TellPhones) -> None:
    """Once the lists are there, then after each change, those of a moment together, and now and then what still holds."""
    await _until(lambda: not waiting, news, _SNAPSHOT_SECONDS)
    while True:
        told = phones.states()
        await tell(told)
        await asyncio.sleep(_CALM_SECONDS)
        await _until(partial(_differ, phones, told), news, _AGAIN_SECONDS)


def _differ(phones: AsteriskPhones, told: Sequence[PhoneState]) -> bool:
    return phones.states() != told


async def _until(is_so: Callable[[], bool], news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not is_so():
                news.clear()
                await news.wait()
    except TimeoutError:
        return
