"""What we need of any SMS provider, in our own words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

import aiohttp

from runtime.vendors.http import NoteExchange
from sms.errors import SmsWireInvalid
from sms.model import (
    MOST_PARTS,
    IncomingSms,
    OutboundSms,
    SmsAccepted,
    SmsBalance,
    SmsOutcome,
    SmsReport,
)
from sms.reasons import SmsReason


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorConnection:
    """What of an account is connected to a vendor of messages. id: unique in the installation. name: in the account.

    keys: the kind's secrets by name. settings: the kind's own; of those that speak HTTP also `base_url`, which replaces the
    vendor's address, and `answer_seconds`, after which an answer is no more waited for.
    """

    account_id: str
    id: str
    name: str
    kind: str
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def differing(self, keys: Mapping[str, str], settings: Mapping[str, Any]) -> Self:
        """Return it with only what of these is new or other than it holds: what stands there already may be older than what is
        known today, and is not judged again."""
        return replace(
            self,
            keys={name: value for name, value in keys.items() if self.keys.get(name) != value},
            settings={
                name: value
                for name, value in settings.items()
                if name not in self.settings or self.settings[name] != value
            },
        )

    def text(self, name: str, default: str = "") -> str:
        """Return a setting as text."""
        return str(self.settings.get(name) or default).strip()

    def number(self, name: str, default: int) -> int:
        """Return a setting that is a whole number; the default for what is none."""
        value = str(self.settings.get(name, "")).strip()
        return int(value) if value.isascii() and value.isdigit() else default

    def is_set(self, name: str) -> bool:
        """Return a setting that is on or off."""
        return is_switched_on(self.settings.get(name))


def is_switched_on(value: object) -> bool:
    """Read the value of a setting that is on or off, as whoever set it may have written it; None is off."""
    return str(value).strip().lower() in ("true", "1", "yes", "on")


class SmsConnection(VendorConnection):
    """One connected SMS provider of an account. Its name stands in the address of reports."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsInbound:
    """A request of a provider as it arrived, without any web framework. query: the last value of each name; body: the
    exact bytes. received_at: aware UTC."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOutcome:
    """How a message was answered after the request for it was over. id: as in `SmsReport.id`, or our own id as text."""

    id: str
    outcome: SmsOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsLinkTold:
    """How the link to a provider fares. reason: why it does not stand. words: of the other side, or of the network."""

    is_up: bool
    reason: SmsReason | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsNews:
    """What a provider told by itself. link: of one that needs a link, where that changed. answer: the body that it expects,
    None = ours."""

    reports: tuple[SmsReport, ...] = ()
    incoming: tuple[IncomingSms, ...] = ()
    outcomes: tuple[LateOutcome, ...] = ()
    link: SmsLinkTold | None = None
    answer: bytes | None = None


TakeNews = Callable[[SmsNews], Awaitable[None]]
"""Returns once it is committed; what it raises makes the provider tell it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsCapabilities:
    """What a kind of provider can do.

    has_own_id: it knows a message by our id, so one whose answer was lost can be looked for. has_polls: it can be asked how
    messages fared. has_pushes: it reports by itself. is_signed: its reports carry a signature. has_balance, has_prices: it
    tells what money is left, and what a message cost. has_incoming: clients can write to us. has_senders: a sender's name can
    be given. needs_extension: each message is charged to an employee. moves_to_day: it keeps messages that come at night
    until the morning by itself. most_parts: of one message. per_second: requests that it grants, None = not told.
    reports_parts: each part has an id and reports of its own. reports_own_id: its reports name a message by our id.
    has_link: it sends over a link that is held open, and tells how that fares.
    """

    has_own_id: bool = False
    has_polls: bool = False
    has_pushes: bool = False
    is_signed: bool = False
    has_balance: bool = False
    has_prices: bool = False
    has_incoming: bool = False
    has_senders: bool = True
    needs_extension: bool = False
    moves_to_day: bool = False
    reports_parts: bool = False
    reports_own_id: bool = False
    has_link: bool = False
    most_parts: int = MOST_PARTS
    per_second: float | None = None


class SmsProvider(Protocol):
    """One connection, open. What is told by itself comes through `TakeNews` or as a request (`SmsKind.read`)."""

    async def run(self) -> None:
        """Hold open what sending needs until cancelled; returns at once where that is nothing."""
        ...

    async def send(self, message: OutboundSms) -> SmsOutcome:
        """Send once. Never raises for trouble with the provider: each is an outcome. A cancellation leaves it unknown."""
        ...

    async def find(self, message: OutboundSms, asked_at: datetime) -> SmsAccepted | None:
        """Look for a message of unknown outcome. asked_at: when it was sent. None: it is not seen, or one cannot look, which
        proves nothing. Raises SmsError."""
        ...

    async def statuses(self, messages: Sequence[tuple[OutboundSms, str]]) -> tuple[SmsReport, ...]:
        """Ask how messages fared, each with an id of the provider; of those that it does not know, nothing. Raises SmsError."""
        ...

    async def balance(self) -> SmsBalance | None:
        """None: it does not tell. Raises SmsError."""
        ...


class SmsKind:
    """Stateless, one instance per kind, handed each connection's own keys. Derive from it in a vendor's folder.

    keys: names of the secrets that a connection of the kind needs. more_keys: of those that it may have. settings: what the
    kind reads, besides `base_url`. needed_settings: those that it cannot do without. vendor_hosts: where the vendor's API is.
    """

    kind: ClassVar[str]
    keys: ClassVar[tuple[str, ...]] = ()
    more_keys: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()
    needed_settings: ClassVar[tuple[str, ...]] = ()
    vendor_hosts: ClassVar[tuple[str, ...]] = ()
    capabilities: ClassVar[SmsCapabilities] = SmsCapabilities()

    def open(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        take: TakeNews,
        on_exchange: NoteExchange | None = None,
    ) -> SmsProvider:
        """Open a connection. take: for what a link brings; of those who push by HTTP it is never called."""
        raise NotImplementedError

    def is_genuine(self, request: SmsInbound, connection: SmsConnection) -> bool | None:
        """Judge the signature of what was pushed. None: the vendor signs nothing, or we lack what it signs with: then the
        secret in the address is all that there is."""
        return None

    def read(self, request: SmsInbound, connection: SmsConnection) -> SmsNews:
        """Read what was pushed. Raises SmsWireInvalid naming the field; never returns a half-filled report."""
        raise SmsWireInvalid("path", "this kind of provider pushes nothing")

    def missing(self, connection: SmsConnection) -> tuple[str, ...]:
        """Names of keys and settings that the connection lacks."""
        keys = [name for name in self.keys if not connection.keys.get(name)]
        return (*keys, *(name for name in self.needed_settings if not connection.text(name)))
