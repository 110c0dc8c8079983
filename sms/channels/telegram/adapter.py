"""A Telegram bot as a ChannelKind: polled, which needs no public address, or told by a webhook."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar
from urllib.parse import quote

import aiohttp

from runtime.masking import HIDDEN
from runtime.vendors.http import HttpAnswer, NoteExchange
from sms.channels.asking import ChannelHttp
from sms.channels.errors import ChannelTrouble, FileUnavailable
from sms.channels.model import ChannelNews, ChannelStateTold, FileTold
from sms.channels.port import (
    ChannelCapabilities,
    ChannelKind,
    FetchedFile,
    MessengerChannel,
    SilentChannel,
    TextUnit,
)
from sms.channels.reasons import ChannelReason, FileReason
from sms.channels.sending import MessageRefused, OutgoingMessage, SendOutcome
from sms.channels.telegram import sending, wire
from sms.errors import SmsError, SmsWireInvalid
from sms.port import SmsInbound
from sms.providers.asking import ProviderRequest

BASE = "https://api.telegram.org"
_HEADER = "x-telegram-bot-api-secret-token"
LARGEST_DOWNLOAD = 20 * 1024 * 1024
_TOO_BIG = "file is too big"
_POLL_SECONDS = 25
_MOST_UPDATES = 100
_CONNECTIONS = 10
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_BUSINESS_WINDOW = timedelta(hours=24)


class TelegramKind(ChannelKind):
    """Key `token`: of the bot; `webhook_secret`: what it puts into a header of what it tells. Settings: `webhook`, on = it tells
    by itself; `business_connection`: the only one that is the channel's; `poll_seconds`."""

    kind = "telegram"
    keys = ("token",)
    more_keys = ("webhook_secret",)
    settings = ("webhook", "business_connection", "poll_seconds")
    vendor_hosts = ("api.telegram.org",)
    capabilities: ClassVar[ChannelCapabilities] = ChannelCapabilities(
        has_webhooks=True,
        has_polls=True,
        is_signed=True,
        has_edits=True,
        has_deletions=True,
        has_echoes=True,
        has_captions=True,
        has_quotes=True,
        has_groups=True,
        text_unit=TextUnit.UTF16,
        longest_text=4096,
        longest_caption=1024,
        largest_file=50 * 1024 * 1024,
        per_second=30,
        per_chat_second=1,
        per_group_minute=20,
        answer_within=timedelta(seconds=30),
        keeps=timedelta(hours=24),
    )

    def open(
        self,
        session: aiohttp.ClientSession,
        channel: MessengerChannel,
        on_exchange: NoteExchange | None = None,
    ) -> TelegramBotChannel:
        return TelegramBotChannel(session, channel, on_exchange)

    def is_genuine(self, request: SmsInbound, channel: MessengerChannel) -> bool | None:
        secret = channel.keys.get("webhook_secret")
        if not secret:
            return None
        named = {name.lower(): value for name, value in request.headers.items()}
        return hmac.compare_digest(named.get(_HEADER, "").encode(), secret.encode())

    def read(self, request: SmsInbound, channel: MessengerChannel) -> ChannelNews:
        return wire.parse_update(request.body, channel.text("business_connection"))

    def is_polled(self, channel: MessengerChannel) -> bool:
        return not channel.is_set("webhook")

    def window(self, channel: MessengerChannel, way: str) -> timedelta | None:
        """Return 24 hours for chats of a business account: the way into them is the connection's id."""
        return _BUSINESS_WINDOW if way else None


class TelegramBotChannel(SilentChannel):
    """One bot. Its token stands in every path, and in no record of one."""

    def __init__(
        self, session: aiohttp.ClientSession, channel: MessengerChannel, note: NoteExchange | None
    ) -> None:
        self._http = ChannelHttp(session, channel, BASE, note)
        self._files = ChannelHttp(session, channel, BASE, None)  # what clients send is recorded nowhere
        self._channel = channel
        self._token = quote(channel.keys.get("token", ""), safe=":")
        self._secret = channel.keys.get("webhook_secret", "")
        self._poll_seconds = channel.number("poll_seconds", _POLL_SECONDS)
        self._connection = channel.text("business_connection")

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        if refused := _refused_before(message):
            return refused
        moved: list[str] = []
        outcome = await self._sent(message, "", moved)
        if moved and isinstance(outcome, MessageRefused):
            return await self._sent(message, moved[0], [])
        return outcome

    async def _sent(self, message: OutgoingMessage, chat_id: str, moved: list[str]) -> SendOutcome:
        """Send once. moved: takes the number that the group has now, where that is why it was refused."""

        def read(answer: HttpAnswer) -> SendOutcome:
            outcome = sending.parse_sent(answer, message)
            if isinstance(outcome, MessageRefused) and (now := sending.moved_to(answer)):
                moved.append(now)
            return outcome

        try:
            call = sending.call_of(message, chat_id)
        except SmsWireInvalid as err:
            return MessageRefused(reason=ChannelReason.NO_SUCH_CHAT, words=str(err))
        return await self._http.send(self._request_of(call, message.key), read, statuses=wire.SPEAKING)

    def _request_of(self, call: sending.BotCall, key: str) -> ProviderRequest:
        if call.file is None:
            return self._request(call.method, call.fields)
        body, kind = sending.form_of_call(call, f"callmatrix-{key}")
        path, shown = self._paths(call.method)
        return ProviderRequest(path=path, shown_path=shown, body=body, headers={"Content-Type": kind})

    async def poll(self, cursor: str | None) -> ChannelNews:
        told: dict[str, object] = {
            "timeout": self._poll_seconds,
            "limit": _MOST_UPDATES,
            "allowed_updates": wire.ALLOWED_UPDATES,
        }
        if cursor is not None:
            told["offset"] = _offset(cursor)
        return await self._http.look(
            self._request("getUpdates", told),
            lambda body: wire.parse_updates(body, self._connection),
            statuses=wire.SPEAKING,
            seconds=self._poll_seconds + 10.0,
            lane="poll",
        )

    async def state(self) -> ChannelStateTold:
        try:
            return await self._http.look(self._request("getMe", {}), wire.parse_state, statuses=wire.SPEAKING)
        except ChannelTrouble as err:
            if err.state is None:
                raise
            return ChannelStateTold(state=err.state, words=str(err))

    async def attach(self, address: str) -> None:
        if self._channel.is_set("webhook") and address:
            await self._order("setWebhook", self._webhook(address))
        else:
            await self.detach()

    def _webhook(self, address: str) -> dict[str, object]:
        if self._secret and not _SECRET.fullmatch(self._secret):
            raise SmsError("webhook_secret: 1 to 256 of A-Z, a-z, 0-9, _ and -")
        told = {"url": address, "allowed_updates": wire.ALLOWED_UPDATES, "max_connections": _CONNECTIONS}
        return {**told, "secret_token": self._secret} if self._secret else told

    async def detach(self) -> None:
        """Tell nobody any more; what has come meanwhile is kept for the next poll."""
        await self._order("deleteWebhook", {"drop_pending_updates": False})

    async def fetch(self, file: FileTold, most_bytes: int) -> FetchedFile:
        """Ask where it is and bring it: the address, which holds the token and dies after an hour, stays here."""
        most = min(most_bytes, LARGEST_DOWNLOAD)
        _small_enough(file.size, most)
        try:
            path, size = await self._http.look(
                self._request("getFile", {"file_id": file.id}), wire.parse_file_path, statuses=wire.SPEAKING
            )
        except ChannelTrouble as err:
            if _TOO_BIG in str(err):
                raise FileUnavailable(FileReason.TOO_LARGE, str(err)) from err
            raise
        _small_enough(size, most)
        request = ProviderRequest(path=f"file/bot{self._token}/{quote(path)}", method="GET")
        content = await self._files.look(request, lambda body: body, most_bytes=most)
        name = file.name or path.rpartition("/")[2]
        return FetchedFile(content=content, name=name, media_type=file.media_type)

    async def _order(self, method: str, told: dict[str, object]) -> None:
        await self._http.look(self._request(method, told), wire.result_of, statuses=wire.SPEAKING)

    def _request(self, method: str, told: Mapping[str, object]) -> ProviderRequest:
        path, shown = self._paths(method)
        return ProviderRequest(path=path, shown_path=shown, json=told)

    def _paths(self, method: str) -> tuple[str, str]:
        return f"bot{self._token}/{method}", f"bot{HIDDEN}/{method}"


def _refused_before(message: OutgoingMessage) -> MessageRefused | None:
    """Judge what Telegram need not be asked for."""
    can = TelegramKind.capabilities
    length = can.text_unit.length(message.text)
    if not message.chat_id:
        return MessageRefused(reason=ChannelReason.NOT_WRITTEN_FIRST)
    if not (message.text.strip() or message.file):
        return MessageRefused(reason=ChannelReason.EMPTY)
    if length > (can.longest_caption if message.file else can.longest_text):
        return MessageRefused(reason=ChannelReason.TOO_LONG, words=str(length))
    if message.file and len(message.file.content or b"") > can.largest_file:
        return MessageRefused(reason=ChannelReason.FILE_TOO_LARGE)
    if wire.is_business(message.chat_id) and not message.way:
        return MessageRefused(reason=ChannelReason.FORBIDDEN, words="business_connection_id")
    return None


def _offset(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit()):
        raise SmsWireInvalid("cursor", "must be a number")
    return int(cursor)


def _small_enough(size: int | None, most: int) -> None:
    if size is not None and size > most:
        raise FileUnavailable(FileReason.TOO_LARGE, f"the file has {size} bytes, which is more than {most}")
