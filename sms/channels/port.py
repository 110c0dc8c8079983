"""What we need of any messenger, in our own words.

A vendor is a folder: `wire.py` (bytes to values and back, pure), `adapter.py` (a `ChannelKind`, stateless, and its `OpenChannel`,
one for each connected channel). It translates, and knows nothing of deals, owners or rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.channels.errors import NotOffered
from sms.channels.model import ChannelAnswer, ChannelNews, ChannelStateTold, FileTold
from sms.channels.sending import MessageAccepted, OutgoingMessage, SendOutcome
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound, VendorConnection

LONGEST_TEXT = 4096


class TextUnit(StrEnum):
    """In what a vendor counts the length of a text."""

    CHARACTER = "character"
    UTF16 = "utf16"
    BYTE = "byte"

    def length(self, text: str) -> int:
        if self is TextUnit.UTF16:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text) if self is TextUnit.CHARACTER else len(text.encode("utf-8", "surrogatepass"))


class MessengerChannel(VendorConnection):
    """One connected channel of an account. id: unique in the installation, stands in the address; name: in the account."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCapabilities:
    """What a kind of channel can do.

    has_webhooks: it tells by requests to our address; polls: it is asked (`OpenChannel.poll`), each waiting for news. is_signed:
    requests carry a signature or secret of ours. has_history: what was missed can be read (`history`). can_write_first: to a
    client who has not written. has_statuses, has_edits, has_deletions: it tells of delivery and reading, of edits, of messages
    taken back. has_echoes: it tells what was typed elsewhere in our name. returns_key: echoes or statuses carry our key.
    has_find: a message of unknown outcome can be looked for. has_captions: text and file go as one. has_quotes, has_groups.
    fetches_files: the vendor fetches a file from an address that we give. longest_text, longest_caption: in text_unit.
    largest_file: bytes. window: for so long after the client's last message they may be written to, None = for ever.
    per_second, per_chat_second, per_group_minute: messages that it grants, None = not told. answer_within: in which a webhook
    must be thanked for. keeps: for how long it keeps for us what nobody took.
    """

    has_webhooks: bool = False
    has_polls: bool = False
    is_signed: bool = False
    has_history: bool = False
    can_write_first: bool = False
    has_statuses: bool = False
    has_edits: bool = False
    has_deletions: bool = False
    has_echoes: bool = False
    returns_key: bool = False
    has_find: bool = False
    has_captions: bool = False
    has_quotes: bool = False
    has_groups: bool = False
    fetches_files: bool = False
    text_unit: TextUnit = TextUnit.CHARACTER
    longest_text: int = LONGEST_TEXT
    longest_caption: int = 1024
    largest_file: int = 20 * 1024 * 1024
    window: timedelta | None = None
    per_second: float | None = None
    per_chat_second: float | None = None
    per_group_minute: float | None = None
    answer_within: timedelta = timedelta(seconds=5)
    keeps: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """What `OpenChannel.fetch` brought. name, media_type: "" where the vendor does not say."""

    content: bytes
    name: str = ""
    media_type: str = ""


class OpenChannel(Protocol):
    """One channel, open. Derive from `SilentChannel`, and write what the vendor offers."""

    async def send(self, message: OutgoingMessage) -> SendOutcome:
        """Send once. Never raises for trouble with the vendor: each is an outcome. A cancellation leaves it unknown."""
        ...

    async def poll(self, cursor: str | None) -> ChannelNews:
        """Wait for updates behind the cursor (None = from the oldest that the vendor keeps) and return them with the next one;
        with none after a while. Asking with a cursor may tell the vendor that all before it are stored. Raises SmsError."""
        ...

    async def history(self, since: datetime, cursor: str | None) -> ChannelNews:
        """Return one page of what was written since, under the same ids as updates have. Raises SmsError."""
        ...

    async def find(self, message: OutgoingMessage, asked_at: datetime) -> tuple[MessageAccepted, ...]:
        """Look for a message of unknown outcome. Several, the oldest first, where the vendor gives no key back and they look alike; ():
        it is not seen, which proves nothing. Raises SmsError."""
        ...

    async def state(self) -> ChannelStateTold:
        """Ask how the channel fares; a key that is not taken is a state, and no error. Raises SmsError."""
        ...

    async def attach(self, address: str) -> None:
        """Have the vendor tell what is new to this address, again and again; one that is polled: have it tell nobody. May be done
        at any time, any number of times. Raises SmsError."""
        ...

    async def detach(self) -> None:
        """Undo `attach`. Raises SmsError."""
        ...

    async def fetch(self, file: FileTold, most_bytes: int) -> FetchedFile:
        """Bring a file that a message told of. Raises SmsError."""
        ...


class SilentChannel:
    """An `OpenChannel` that offers nothing but what is derived from it."""

    async def poll(self, cursor: str | None) -> ChannelNews:
        raise NotOffered("this kind of channel is not polled")

    async def history(self, since: datetime, cursor: str | None) -> ChannelNews:
        raise NotOffered("this kind of channel keeps no history")

    async def find(self, message: OutgoingMessage, asked_at: datetime) -> tuple[MessageAccepted, ...]:
        return ()

    async def attach(self, address: str) -> None:
        """Nothing is told by itself."""

    async def detach(self) -> None:
        """Nothing was told by itself."""

    async def fetch(self, file: FileTold, most_bytes: int) -> FetchedFile:
        raise NotOffered("this kind of channel gives no files")


class ChannelKind:
    """Stateless, one instance per kind, handed each channel's own keys. Derive from it in a vendor's folder.

    keys: names of the secrets that a channel of the kind needs. more_keys: of those that it may have. settings: what the kind
    reads, besides `base_url` and `answer_seconds`. needed_settings: those that it cannot do without. choices: of settings that are
    one of few words, which these are. vendor_hosts: where the
    vendor's API is. shares_address: channels of one vendor account are told of at one address, some of it without saying which;
    ids of messages are unique among them.
    """

    kind: ClassVar[str]
    keys: ClassVar[tuple[str, ...]] = ()
    more_keys: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()
    needed_settings: ClassVar[tuple[str, ...]] = ()
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    vendor_hosts: ClassVar[tuple[str, ...]] = ()
    shares_address: ClassVar[bool] = False
    capabilities: ClassVar[ChannelCapabilities] = ChannelCapabilities()

    def open(
        self,
        session: aiohttp.ClientSession,
        channel: MessengerChannel,
        on_exchange: NoteExchange | None = None,
    ) -> OpenChannel:
        raise NotImplementedError

    def handshake(self, request: SmsInbound, channel: MessengerChannel) -> ChannelAnswer | None:
        """Answer a request by which the vendor tries the address before it tells anything; None for every other. It is asked
        before the signature is judged, and may say no itself."""
        return None

    def is_genuine(self, request: SmsInbound, channel: MessengerChannel) -> bool | None:
        """Judge the signature, over the exact bytes, and its age. None: the vendor signs nothing, or we lack what it signs with:
        then the secret in the address is all that there is."""
        return None

    def read(self, request: SmsInbound, channel: MessengerChannel) -> ChannelNews:
        """Read what was told. One update that cannot be read is an `UnreadTold` among the others; raises SmsWireInvalid where
        nothing can be read at all."""
        raise SmsWireInvalid("path", "this kind of channel tells nothing by itself")

    def is_polled(self, channel: MessengerChannel) -> bool:
        """Whether this channel is asked for what is new (`OpenChannel.poll`); else it tells it to our address."""
        return self.capabilities.has_polls and not self.capabilities.has_webhooks

    def outside_id(self, channel: MessengerChannel) -> str:
        """Return the vendor's id of this channel, by which updates name it where several share one address; else ""."""
        return ""

    def window(self, channel: MessengerChannel, way: str) -> timedelta | None:
        """Return how long after their last message a client may be written to in a chat with this `way`, None = for ever."""
        return self.capabilities.window

    def missing(self, channel: MessengerChannel) -> tuple[str, ...]:
        """Names of keys and settings that the channel lacks."""
        keys = [name for name in self.keys if not channel.keys.get(name)]
        return (*keys, *(name for name in self.needed_settings if not channel.text(name)))
