"""One channel of a Wazzup account as a ChannelKind."""

from __future__ import annotations

import hmac
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.channels.asking import ChannelHttp
from sms.channels.errors import ChannelTrouble
from sms.channels.model import ChannelNews, ChannelStateTold
from sms.channels.port import ChannelCapabilities, ChannelKind, MessengerChannel, SilentChannel
from sms.channels.reasons import ChannelReason
from sms.channels.sending import MessageRefused, OutgoingMessage, SendOutcome
from sms.channels.wazzup import wire
from sms.channels.wazzup.codes import LONGEST, TRANSPORTS, WINDOWS
from sms.errors import SmsError, SmsWireInvalid
from sms.port import SmsInbound
from sms.providers.asking import ProviderRequest

BASE = "https://api.wazzup24.com"


class WazzupKind(ChannelKind):
    """Key `api_key`: of the account; `crm_key`: what its webhooks bear, where Wazzup holds one. Settings: `channel_id`, the
    channel's GUID; `transport`, what it is: whatsapp, wapi, tgapi, telegram, instagram, vk, avito, max, viber."""

    kind = "wazzup"
    keys = ("api_key",)
    more_keys = ("crm_key",)
    settings = ("channel_id", "transport")
    needed_settings = ("channel_id",)
    choices = MappingProxyType({"transport": TRANSPORTS})
    vendor_hosts = ("api.wazzup24.com",)
    shares_address = True
    capabilities: ClassVar[ChannelCapabilities] = ChannelCapabilities(
        has_webhooks=True,
        can_write_first=True,
        has_statuses=True,
        has_edits=True,
        has_deletions=True,
        has_echoes=True,
        has_quotes=True,
        has_groups=True,
        fetches_files=True,
        longest_text=4096,
        largest_file=10 * 1024 * 1024,
        per_second=100,
        answer_within=timedelta(seconds=30),
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        channel: MessengerChannel,
        on_exchange: NoteExchange | None = None,
    ) -> WazzupChannel:
        return WazzupChannel(ChannelHttp(session, channel, BASE, on_exchange), channel)

    def is_genuine(self, request: SmsInbound, channel: MessengerChannel) -> bool | None:
        key = channel.keys.get("crm_key")
        if not key:
            return None
        named = {name.lower(): value for name, value in request.headers.items()}
        return hmac.compare_digest(named.get("authorization", "").encode(), f"Bearer {key}".encode())

    def read(self, request: SmsInbound, channel: MessengerChannel) -> ChannelNews:
        return wire.parse_news(request.body)

    def outside_id(self, channel: MessengerChannel) -> str:
        return channel.text("channel_id")

    def window(self, channel: MessengerChannel, way: str) -> timedelta | None:
        return WINDOWS.get(channel.text("transport"))


class WazzupChannel(SilentChannel):
    """One channel. Files of clients lie at public addresses, from which they are had without it."""

    def __init__(self, http: ChannelHttp, channel: MessengerChannel) -> None:
        self._http = http
        self._id = channel.text("channel_id")
        self._transport = channel.text("transport")
        self._headers = {"Authorization": f"Bearer {channel.keys.get('api_key', '')}"}

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        if refused := _refused_before(message):
            return refused
        try:
            told = wire.message_json(message, self._id, self._transport)
        except SmsWireInvalid as err:
            return MessageRefused(reason=ChannelReason.NOT_WRITTEN_FIRST, words=str(err))
        request = ProviderRequest(path="v3/message", json=told, headers=self._headers)
        return await self._http.send(
            request, lambda answer: wire.parse_sent(answer, message.chat_id), statuses=wire.SPEAKING
        )

    async def state(self) -> ChannelStateTold:
        request = ProviderRequest(path="v3/channels", method="GET", headers=self._headers)
        try:
            return await self._http.look(request, lambda body: wire.parse_state(body, self._id))
        except ChannelTrouble as err:
            if err.state is None:
                raise
            return ChannelStateTold(channel=self._id, state=err.state, words=str(err))

    async def attach(self, address: str) -> None:
        """Have Wazzup tell this address, which it tries while we wait. An account has one address, for all of its channels."""
        if not address:
            return
        if len(address) > wire.LONGEST_ADDRESS:
            raise SmsError(f"Wazzup takes an address of {wire.LONGEST_ADDRESS} characters at most")
        request = ProviderRequest(
            path="v3/webhooks", method="PATCH", json=wire.subscription(address), headers=self._headers
        )
        await self._http.look(request, wire.parse_order, statuses=frozenset({200, 400}))

    async def detach(self) -> None:
        """Leave the address as it is: other channels of the Wazzup account may be told by it."""


def _refused_before(message: OutgoingMessage) -> MessageRefused | None:
    """Judge what Wazzup need not be asked for."""
    longest = LONGEST.get(message.way, WazzupKind.capabilities.longest_text)
    if not (message.text.strip() or message.file):
        return MessageRefused(reason=ChannelReason.EMPTY)
    if len(message.text) > longest:
        return MessageRefused(reason=ChannelReason.TOO_LONG, words=f"{len(message.text)} > {longest}")
    if message.file and message.text.strip():
        return MessageRefused(reason=ChannelReason.BAD_REQUEST, words="text+file")
    if message.file and not message.file.url:
        return MessageRefused(reason=ChannelReason.FILE_UNREADABLE, words="url")
    return None
