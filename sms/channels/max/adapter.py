"""A bot of MAX as a ChannelKind: told by a webhook, or polled, which needs no public address."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from runtime.vendors.http import HttpAnswer, NoteExchange
from sms.channels.asking import ChannelHttp
from sms.channels.errors import ChannelTrouble, FileUnavailable, NotOffered
from sms.channels.max import sending, wire
from sms.channels.max.content import VIDEO
from sms.channels.model import ChannelNews, ChannelStateTold, FileTold
from sms.channels.multipart import form_with_file
from sms.channels.port import ChannelCapabilities, ChannelKind, FetchedFile, MessengerChannel, SilentChannel
from sms.channels.reasons import ChannelReason, ChannelState, FileReason
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    OutgoingFile,
    OutgoingMessage,
    SendOutcome,
)
from sms.errors import SmsError, SmsWireInvalid
from sms.port import SmsInbound
from sms.providers.asking import ProviderRequest

BASE = "https://platform-api2.max.ru"
_HEADER = "x-max-bot-api-secret"
_POLL_SECONDS, _LONGEST_POLL_SECONDS = 30, 90
_MOST_UPDATES = 100
_MOST_MESSAGES = 50
_UPLOAD_SECONDS = 120.0
_CLOCKS_APART = timedelta(minutes=1)
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""Before a message is tried again whose file MAX is still working on."""
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_ROOT = "Russian Trusted Root CA"
"""Who vouches for MAX: where they are not trusted, the guide says what to do."""


class MaxKind(ChannelKind):
    """Key `token`: of the bot. Settings: `receives` = `poll`: it is asked for what is new; `poll_seconds`. ca_file: certificates of
    those who vouch for MAX besides the system's."""

    kind = "max"
    keys = ("token",)
    settings = ("receives", "poll_seconds")
    choices = MappingProxyType({"receives": ("poll",)})
    vendor_hosts = ("platform-api2.max.ru",)
    capabilities: ClassVar[ChannelCapabilities] = ChannelCapabilities(
        has_webhooks=True,
        has_polls=True,
        is_signed=True,
        has_edits=True,
        has_deletions=True,
        has_find=True,
        has_captions=True,
        has_quotes=True,
        has_groups=True,
        longest_text=4000,
        longest_caption=4000,
        largest_file=50 * 1024 * 1024,
        per_second=30,
        per_chat_second=2,
        answer_within=timedelta(seconds=30),
        keeps=timedelta(hours=8),
    )

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file

    def open(
        self,
        session: aiohttp.ClientSession,
        channel: MessengerChannel,
        on_exchange: NoteExchange | None = None,
    ) -> MaxBotChannel:
        return MaxBotChannel(session, channel, on_exchange, ca_file=self._ca_file)

    def is_genuine(self, request: SmsInbound, channel: MessengerChannel) -> bool | None:
        named = {name.lower(): value for name, value in request.headers.items()}
        given = named.get(_HEADER, "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, secret_of(channel).encode())

    def read(self, request: SmsInbound, channel: MessengerChannel) -> ChannelNews:
        return wire.parse_update(request.body, channel.keys.get("token", ""))

    def is_polled(self, channel: MessengerChannel) -> bool:
        return channel.text("receives") == "poll"


def secret_of(channel: MessengerChannel) -> str:
    """Return what MAX is told to put into a header of each request: made of the token, so that nobody has to think of one, and a
    new token makes a new one."""
    said = f"callmatrix webhook {channel.id}".encode()
    return hmac.new(channel.keys.get("token", "").encode(), said, hashlib.sha256).hexdigest()


class MaxBotChannel(SilentChannel):
    """One bot. Its token stands in a header of requests to MAX alone: addresses that MAX names for files are given none."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        channel: MessengerChannel,
        note: NoteExchange | None,
        *,
        ca_file: Path | None = None,
        pauses: Sequence[float] = _PAUSES,
    ) -> None:
        tls, self._lacks = _trust(ca_file)
        self._http = ChannelHttp(session, channel, BASE, note, tls=tls)
        self._files = ChannelHttp(session, channel, BASE, None, tls=tls)  # contents are recorded nowhere
        self._base = channel.text("base_url", BASE)
        self._is_polled = MaxKind().is_polled(channel)
        self._poll_seconds = min(channel.number("poll_seconds", _POLL_SECONDS), _LONGEST_POLL_SECONDS)
        self._token = channel.keys.get("token", "")
        self._secret = secret_of(channel)
        self._end_of_address = f"/channels/{channel.id}/"
        self._is_subscribed = False
        self._pauses = pauses

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        if refused := _refused_before(message):
            return refused
        try:
            path = sending.path_to(message.chat_id)
            attached = await self._uploaded(message.file, message.key) if message.file else None
        except SmsWireInvalid as err:
            return MessageRefused(reason=ChannelReason.NO_SUCH_CHAT, words=str(err))
        except _NotUploaded as err:
            return err.outcome
        told = sending.message_json(message, attached)
        return await self._sent(ProviderRequest(path=path, json=told, headers=self._headers()), message)

    async def _sent(self, request: ProviderRequest, message: OutgoingMessage) -> SendOutcome:
        """Send once; again only where MAX has refused it since it still works on the file."""

        def read(answer: HttpAnswer) -> SendOutcome:
            return sending.parse_sent(answer, message)

        for pause in self._pauses:
            outcome = await self._http.send(request, read, statuses=wire.SPEAKING)
            if not (isinstance(outcome, MessageRefused) and sending.is_not_ready(outcome.vendor_code)):
                return outcome
            await asyncio.sleep(pause)
        return await self._http.send(request, read, statuses=wire.SPEAKING)

    async def _uploaded(self, file: OutgoingFile, key: str) -> dict[str, object]:
        """Give a file to MAX, and return what names it in a message. Raises _NotUploaded: no message was sent then."""
        kind = sending.upload_kind(file)
        asked = ProviderRequest(path=f"uploads?type={kind}", headers=self._headers())
        try:
            place, token = await self._http.look(
                asked, sending.parse_upload, statuses=wire.SPEAKING, lane="message"
            )
            self._refuse_elsewhere(place)
            body, form = form_with_file({}, "data", file, f"callmatrix-{key}")
            upload = ProviderRequest(url=place, body=body, headers={"Content-Type": form})
            return await self._files.look(
                upload,
                lambda answer: sending.attachment_of(kind, answer, token),
                statuses=wire.SPEAKING,
                seconds=_UPLOAD_SECONDS,
                lane="message",
            )
        except ChannelTrouble as err:
            raise _NotUploaded(_outcome_of(err)) from err
        except SmsError as err:
            refused = MessageRefused(reason=ChannelReason.FILE_UNREADABLE, words=str(err))
            raise _NotUploaded(refused) from err

    async def poll(self, cursor: str | None) -> ChannelNews:
        fields = {
            "timeout": str(self._poll_seconds),
            "limit": str(_MOST_UPDATES),
            "types": ",".join(wire.UPDATES),
        }
        if cursor is not None:
            fields["marker"] = cursor
        return await self._http.look(
            self._get("updates", fields),
            lambda body: wire.parse_updates(body, self._token),
            statuses=wire.SPEAKING,
            seconds=self._poll_seconds + 10.0,
            lane="poll",
        )

    async def find(self, message: OutgoingMessage, asked_at: datetime) -> tuple[MessageAccepted, ...]:
        """Look among the chat's latest messages for what the bot has written with this text since it was asked to."""
        if not message.text.strip():
            return ()
        fields = {"chat_id": message.chat_id, "count": str(_MOST_MESSAGES)}
        since = asked_at - _CLOCKS_APART
        return await self._http.look(
            self._get("messages", fields),
            lambda body: wire.parse_sent_like(body, message.text, since),
            statuses=wire.SPEAKING,
        )

    async def state(self) -> ChannelStateTold:
        if self._lacks:
            return ChannelStateTold(state=ChannelState.WAITING, words=self._lacks)
        try:
            return await self._http.look(self._get("me"), wire.parse_state, statuses=wire.SPEAKING)
        except ChannelTrouble as err:
            if _UNTRUSTED in str(err):
                host = urlsplit(self._base).netloc
                return ChannelStateTold(state=ChannelState.WAITING, words=f"{host}: {_UNTRUSTED}, {_ROOT}")
            if err.state is None:
                raise
            return ChannelStateTold(state=err.state, words=str(err))

    async def attach(self, address: str) -> None:
        """Have MAX tell this address, and no other that was this channel's; it keeps addresses beside each other. One that is polled
        is told by none."""
        there = await self._subscriptions()
        if self._is_polled:
            await self._unsubscribe(there)
            return
        if not address:
            return
        if address not in there or not self._is_subscribed:
            told = {"url": address, "update_types": list(wire.UPDATES), "secret": self._secret}
            await self._order(ProviderRequest(path="subscriptions", json=told, headers=self._headers()))
            self._is_subscribed = True
        await self._unsubscribe([u for u in there if u != address and wire.is_same_channel(address, u)])

    async def detach(self) -> None:
        """Take this channel's addresses away; those of other programs stay."""
        there = await self._subscriptions()
        await self._unsubscribe([url for url in there if self._end_of_address in url])

    async def _subscriptions(self) -> tuple[str, ...]:
        return await self._http.look(
            self._get("subscriptions"), wire.parse_subscriptions, statuses=wire.SPEAKING
        )

    async def _unsubscribe(self, addresses: Sequence[str]) -> None:
        for url in addresses:
            path = f"subscriptions?{urlencode({'url': url})}"
            await self._order(ProviderRequest(path=path, method="DELETE", headers=self._headers()))

    async def fetch(self, file: FileTold, most_bytes: int) -> FetchedFile:
        """Bring a film: where it is has to be asked for; of its sizes the first that is small enough is taken."""
        if not file.id.startswith(VIDEO):
            raise NotOffered("files of MAX lie at addresses of the web")
        path = f"videos/{quote(file.id.removeprefix(VIDEO), safe='')}"
        places = await self._http.look(self._get(path), wire.parse_films, statuses=wire.SPEAKING)
        refused = FileUnavailable(FileReason.GONE, "MAX names no address of it")
        for place in places:
            try:
                return FetchedFile(content=await self._film(place, most_bytes), media_type=file.media_type)
            except FileUnavailable as err:
                refused = err
        raise refused

    async def _film(self, place: str, most_bytes: int) -> bytes:
        self._refuse_elsewhere(place)
        request = ProviderRequest(url=place, method="GET")
        return await self._files.look(
            request, lambda body: body, most_bytes=most_bytes, seconds=_UPLOAD_SECONDS
        )

    def _refuse_elsewhere(self, place: str) -> None:
        """Raise SmsWireInvalid for an address at which a file could be read on its way."""
        told, base = urlsplit(place), urlsplit(self._base)
        if told.scheme != "https" and (told.scheme, told.netloc) != (base.scheme, base.netloc):
            raise SmsWireInvalid("url", "is no address of HTTPS")

    async def _order(self, request: ProviderRequest) -> None:
        await self._http.look(request, wire.answer_of, statuses=wire.SPEAKING)

    def _get(self, path: str, fields: dict[str, str] | None = None) -> ProviderRequest:
        return ProviderRequest(path=path, method="GET", fields=fields or {}, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._token}


class _NotUploaded(Exception):
    """A file could not be given to MAX, so the message was not sent."""

    def __init__(self, outcome: MessageRefused | MessageThrottled) -> None:
        super().__init__(outcome.words)
        self.outcome = outcome


def _outcome_of(err: ChannelTrouble) -> MessageRefused | MessageThrottled:
    if err.state is ChannelState.UNAUTHORISED:
        return MessageRefused(reason=ChannelReason.BAD_KEY, words=str(err))
    if err.retry_after is not None:
        return MessageThrottled(retry_after=err.retry_after, words=str(err))
    return MessageRefused(reason=ChannelReason.VENDOR_TROUBLE, words=str(err))


def _refused_before(message: OutgoingMessage) -> MessageRefused | None:
    """Judge what MAX need not be asked for."""
    can = MaxKind.capabilities
    length = can.text_unit.length(message.text)
    if not message.chat_id:
        return MessageRefused(reason=ChannelReason.NOT_WRITTEN_FIRST)
    if not (message.text.strip() or message.file):
        return MessageRefused(reason=ChannelReason.EMPTY)
    if length > can.longest_text:
        return MessageRefused(reason=ChannelReason.TOO_LONG, words=str(length))
    if message.file and len(message.file.content or b"") > can.largest_file:
        return MessageRefused(reason=ChannelReason.FILE_TOO_LARGE)
    return None


def _trust(ca_file: Path | None) -> tuple[ssl.SSLContext | None, str]:
    """Return whom to trust, and why that could not be read."""
    if ca_file is None:
        return None, ""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as err:
        return None, f"CALLMATRIX_MAX_MESSENGER_CA_FILE: {ca_file}: {err}"
    return context, ""
