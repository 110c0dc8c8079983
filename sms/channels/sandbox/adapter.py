"""The sandbox as a ChannelKind: to try, demonstrate and test. Without a `base_url` what is sent is taken, and goes nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.channels.asking import ChannelHttp
from sms.channels.errors import ChannelTrouble, NotOffered
from sms.channels.model import ChannelAnswer, ChannelNews, ChannelStateTold, FileTold
from sms.channels.port import ChannelCapabilities, ChannelKind, FetchedFile, MessengerChannel
from sms.channels.reasons import ChannelReason, ChannelState
from sms.channels.sandbox import wire
from sms.channels.sending import MessageAccepted, MessageRefused, OutgoingMessage, SendOutcome
from sms.port import SmsInbound
from sms.providers.asking import ProviderRequest

_POLL_SECONDS = 25
_MOST_CHALLENGE = 200


class SandboxChannelKind(ChannelKind):
    """Key `signing_secret`: requests to us must be signed with it; `token`: what we ask with. Settings: `base_url`, where it is;
    `outside_id`, by which updates name it; `receives` = `poll`: it is asked for what is new; `poll_seconds`; `window_hours`, 0 = for ever."""

    kind = "sandbox"
    more_keys = ("signing_secret", "token")
    settings = ("outside_id", "poll_seconds", "receives", "window_hours")
    choices = MappingProxyType({"receives": ("poll",)})
    capabilities: ClassVar[ChannelCapabilities] = ChannelCapabilities(
        has_webhooks=True,
        has_polls=True,
        is_signed=True,
        has_history=True,
        can_write_first=True,
        has_statuses=True,
        has_edits=True,
        has_deletions=True,
        has_echoes=True,
        returns_key=True,
        has_find=True,
        has_captions=True,
        has_quotes=True,
        has_groups=True,
        fetches_files=True,
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        channel: MessengerChannel,
        on_exchange: NoteExchange | None = None,
    ) -> SandboxChannel:
        return SandboxChannel(ChannelHttp(session, channel, "", on_exchange), channel)

    def handshake(self, request: SmsInbound, channel: MessengerChannel) -> ChannelAnswer | None:
        """Give back `challenge` of a GET."""
        if request.method != "GET":
            return None
        challenge = request.query.get("challenge", "")
        if not challenge.isalnum() or len(challenge) > _MOST_CHALLENGE:
            return ChannelAnswer(status=400, body=b"a challenge of letters and digits is missing")
        return ChannelAnswer(body=challenge.encode())

    def is_genuine(self, request: SmsInbound, channel: MessengerChannel) -> bool | None:
        secret = channel.keys.get("signing_secret")
        return wire.is_signed(secret, request.headers, request.body, request.received_at) if secret else None

    def read(self, request: SmsInbound, channel: MessengerChannel) -> ChannelNews:
        return wire.parse_news(request.body)

    def is_polled(self, channel: MessengerChannel) -> bool:
        return channel.text("receives") == "poll" and bool(channel.text("base_url"))

    def outside_id(self, channel: MessengerChannel) -> str:
        return channel.text("outside_id")

    def window(self, channel: MessengerChannel, way: str) -> timedelta | None:
        hours = channel.number("window_hours", 0)
        return timedelta(hours=hours) if hours else None


class SandboxChannel:
    """One channel of the sandbox."""

    def __init__(self, http: ChannelHttp, channel: MessengerChannel) -> None:
        self._http = http
        self._is_there = bool(channel.text("base_url"))
        self._poll_seconds = channel.number("poll_seconds", _POLL_SECONDS)
        token = channel.keys.get("token")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        if not (message.text.strip() or message.file):
            return MessageRefused(reason=ChannelReason.EMPTY)
        if not self._is_there:
            return MessageAccepted(id=f"own-{message.key}", chat_id=message.chat_id or message.phone)
        request = ProviderRequest(path="messages", json=wire.message_json(message), headers=self._headers)
        return await self._http.send(request, wire.parse_sent, statuses=wire.SPEAKING)

    async def poll(self, cursor: str | None) -> ChannelNews:
        if not self._is_there:
            raise NotOffered("a sandbox without an address tells nothing")
        fields = {"after": cursor or "", "seconds": str(self._poll_seconds)}
        return await self._http.look(
            self._get("updates", fields), wire.parse_news, seconds=self._poll_seconds + 10.0, lane="poll"
        )

    async def history(self, since: datetime, cursor: str | None) -> ChannelNews:
        if not self._is_there:
            raise NotOffered("a sandbox without an address keeps no history")
        fields = {"since": since.isoformat(), "after": cursor or ""}
        return await self._http.look(self._get("history", fields), wire.parse_news)

    async def find(self, message: OutgoingMessage, asked_at: datetime) -> tuple[MessageAccepted, ...]:
        if not self._is_there:
            return ()
        found = await self._http.look(self._get("sent", {"key": message.key}), wire.parse_found)
        return (found,) if found else ()

    async def state(self) -> ChannelStateTold:
        if not self._is_there:
            return ChannelStateTold(state=ChannelState.ACTIVE)
        try:
            return await self._http.look(self._get("state"), wire.parse_state)
        except ChannelTrouble as err:
            if err.state is None:
                raise
            return ChannelStateTold(state=err.state, words=str(err))

    async def attach(self, address: str) -> None:
        await self._subscribe({"address": address})

    async def detach(self) -> None:
        await self._subscribe({"address": ""})

    async def fetch(self, file: FileTold, most_bytes: int) -> FetchedFile:
        return await self._http.look(
            self._get(f"files/{file.id}"), lambda body: wire.parse_file(body, file), most_bytes=most_bytes
        )

    async def _subscribe(self, told: dict[str, object]) -> None:
        if self._is_there:
            request = ProviderRequest(path="webhook", json=told, headers=self._headers)
            await self._http.look(request, lambda body: None)

    def _get(self, path: str, fields: dict[str, str] | None = None) -> ProviderRequest:
        return ProviderRequest(path=path, method="GET", fields=fields or {}, headers=self._headers)
