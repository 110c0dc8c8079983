"""What a kind of PBX may be able to do besides asking and telling; a kind that lacks one says None."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

import aiohttp

from campaigns.engine import AddResult, EngineCampaign, EngineTask, NewTask
from gateway.pbx.call_log import CallLog
from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound, LookupRequest, Parsed
from routing.outbound.attempts import AttemptOutcome, AttemptState
from runtime.metrics import Sample
from runtime.vendors.http import NoteExchange

SettingType = Literal["text", "whole", "count", "port", "switch", "list", "time zone", "number spelling"]
"""whole: a whole number from 0, also as text; count: from 1. switch: true or false, or their words. list: texts, or one with commas."""

OpenCallLog = Callable[[aiohttp.ClientSession, NoteExchange | None], CallLog]


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message that a link brought, and what it means. raw: as received, empty where we concluded it ourselves."""

    parsed: Parsed
    raw: bytes
    received_at: datetime


Accept = Callable[[InboundMessage], Awaitable[object]]
"""Returns once it is committed. Raises InboxUnavailable (try again), MessageUnstorable (never will be)."""
Report = Callable[[dict[str, Any]], Awaitable[None]]


class PbxListener(Protocol):
    """A running link; `run` until cancelled."""

    async def run(self) -> None: ...

    def figures(self) -> dict[str, Any]: ...


class Link(Protocol):
    """A permanent link that a connection asks for, as a value: an equal one is the same link, another replaces it.
    purpose: what its lease and its report are called by."""

    @property
    def purpose(self) -> str: ...

    def __hash__(self) -> int: ...

    def open(
        self, current: Callable[[], Connection], accept: Accept, report: Report, last: Mapping[str, Any]
    ) -> PbxListener:
        """last: the latest report of whoever listened to this PBX, with `heard_at`; empty where nobody has."""
        ...


@dataclass(frozen=True, slots=True)
class Dwelling:
    """A client's call that waits in a voice menu. leg: what a routing command names. call_key: the whole call's id."""

    leg: str
    call_key: str
    asked: LookupRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOrder:
    """Send this leg on. address, display_name: from `destination`. command_id: ours."""

    leg: str
    address: str
    command_id: str
    display_name: str | None


class RouteResult(Protocol):
    """How an order of ours came out, as the PBX tells it later."""

    @property
    def command_id(self) -> str: ...

    @property
    def code(self) -> int: ...

    @property
    def is_done(self) -> bool: ...


class Router(Protocol):
    """A PBX that cannot ask: we send its calls on while they dwell in a voice menu."""

    @property
    def interval(self) -> timedelta:
        """At most one order in this time per product."""
        ...

    def product(self, connection: Connection) -> str:
        """Return what the vendor counts orders by, without keeping a secret."""
        ...

    def dwelling(self, request: Inbound, connection: Connection) -> Dwelling | None: ...

    def result(self, request: Inbound) -> RouteResult | None: ...

    def destination(self, answer: Mapping[str, Any], connection: Connection) -> tuple[str, str | None] | None:
        """Address and name for the display, from a lookup's answer; None: the menu's own way is right."""
        ...

    async def send(
        self, session: aiohttp.ClientSession, connection: Connection, order: RouteOrder, seconds: float
    ) -> None:
        """Send one order. Raises PbxError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Ring an employee, then a client. attempt_id: ours, a new one for each attempt. extension, group: whom to ring first, one
    of them. number: the client's, E.164. line: what the client sees, None = the PBX's choice. display_name: what the employee sees."""

    attempt_id: str
    extension: str | None = None
    group: str | None = None
    number: str
    line: str | None = None
    ring_seconds: int = 25
    client_ring_seconds: int = 30
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """The PBX has taken it. What becomes of it is told by call events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedByPbx:
    """Nobody was rung. code: ours. words: the PBX's own. concerns: what else is refused likewise: connection: everything, until
    a person has mended it; limit: whatever comes so fast or so many at once; link: what is ordered now, since the PBX could not
    be reached, and nothing was sent: it may be placed again soon."""

    code: str
    words: str
    concerns: Literal["this_call", "connection", "limit", "link"]


@dataclass(frozen=True, slots=True)
class PlaceUnknown:
    """The order may have been carried out or not: look for the attempt, never place it again."""

    why: str


PlaceResult = Placed | RefusedByPbx | PlaceUnknown


@dataclass(frozen=True, slots=True)
class Live:
    """The attempt goes on. state: how far it is."""

    state: AttemptState


@dataclass(frozen=True, slots=True)
class Over:
    """The PBX remembers how the attempt ended."""

    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True)
class NotSeen:
    """There is no such call now: it is over, or never was."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The PBX could not be asked, or does not know calls by our ids."""

    why: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The PBX has hung up."""


FindResult = Live | Over | NotSeen | CannotTell
CancelResult = Cancelled | NotSeen | CannotTell


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginatorSkills:
    """knows_operator_side: its events tell whether the employee or the client did not come. has_own_id: they carry our
    attempt id. shows_line: the client can be shown a line of our choice. takes_group: a group can be rung first.
    seconds_between: of one product's orders at least, by the vendor's limit."""

    knows_operator_side: bool
    is_cancellable: bool
    shows_line: bool
    takes_group: bool
    has_own_id: bool
    seconds_between: float = 0.0


class Originator(Protocol):
    """A PBX that calls at our order: the employee first, then the client. Nothing is ever repeated here."""

    @property
    def skills(self) -> OriginatorSkills: ...

    def product(self, connection: Connection) -> str:
        """Return what the vendor counts orders by, without keeping a secret: the connection, unless it says otherwise."""
        return connection.id

    async def place(
        self, session: aiohttp.ClientSession, connection: Connection, order: PlaceOrder
    ) -> PlaceResult:
        """Place it once. Raises nothing for what the PBX says or for a link that breaks."""
        ...

    async def find(
        self, session: aiohttp.ClientSession, connection: Connection, attempt_id: str, placed_at: datetime
    ) -> FindResult:
        """Look what became of an attempt, as after a restart."""
        ...

    async def cancel(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        attempt_id: str,
        legs: Sequence[str] = (),
    ) -> CancelResult:
        """Hang the attempt up, however far it is. legs: the PBX's ids of its phones, as far as its events told them; some
        PBXs know calls to be hung up by nothing else."""
        ...


AskLookup = Callable[[Connection, LookupRequest], Mapping[str, Any]]
"""The contract's answer. Never raises."""

TellRefused = Callable[[str, str], None]
"""(address, connection of ours that was named or "") of one who had no valid secret. Never raises."""


class QuestionServer(Protocol):
    """Answers questions that do not come by HTTP; `run` until cancelled."""

    async def run(self, host: str, port: int) -> None: ...

    def samples(self) -> Iterator[Sample]: ...


@dataclass(frozen=True, slots=True)
class QuestionPort:
    """A port of a kind's own. setting: the one of `Settings` that holds its number, None = it is not listened on. open:
    given the connections of the installation by name, asked at each call, and whom to tell of wrong secrets."""

    setting: str
    open: Callable[[Callable[[], Mapping[str, Connection]], AskLookup, TellRefused], QuestionServer]


class PhoneState(NamedTuple):
    """What a PBX says of one address. is_busy: it talks, or is held. is_dnd: its owner shut it."""

    address: str
    is_busy: bool = False
    is_dnd: bool = False


TellPhones = Callable[[Sequence[PhoneState]], Awaitable[None]]
"""Of everybody of whom there is something to say: who is not named is neither busy nor shut."""


class PresenceSource(Protocol):
    """A PBX that tells who talks and whose phone is shut. A registered phone is no person who is there, so a PBX that
    knows no more than that is none."""

    async def watch(self, connection: Connection, tell: TellPhones) -> None:
        """Tell all that is known, at every change and at least twice a minute, until the link is lost. Raises PbxError."""
        ...


class ToldTopics(NamedTuple):
    """What an operator of a contact centre gave a call. topics: by name."""

    topics: tuple[str, ...] = ()
    comment: str = ""


class TopicsSource(Protocol):
    """Tells topics and comments of calls, which operators fill in afterwards."""

    async def topics_of(
        self, session: aiohttp.ClientSession, connection: Connection, call_key: str
    ) -> ToldTopics | None:
        """None: the call is not known (yet). Raises PbxError."""


class TaskPage(NamedTuple):
    """A part of a campaign's numbers. cursor: what the next one is asked by, None = this was the last. unread: so many could not
    be read, so that what is not here may be there all the same."""

    tasks: tuple[EngineTask, ...]
    cursor: str | None = None
    unread: int = 0


class CampaignEngine(Protocol):
    """A contact centre that dials campaigns of its own. seconds_between: requests of one product, by the vendor's limit."""

    @property
    def seconds_between(self) -> float: ...

    def product(self, connection: Connection) -> str:
        """Return what the vendor counts requests by, without keeping a secret."""
        ...

    async def campaigns(
        self, session: aiohttp.ClientSession, connection: Connection
    ) -> tuple[EngineCampaign, ...]:
        """Return all there are. Raises PbxError, NoContactCentre."""
        ...

    async def tasks(
        self, session: aiohttp.ClientSession, connection: Connection, campaign: str, cursor: str | None
    ) -> TaskPage:
        """Return numbers of one campaign with what became of them. Raises PbxError, NoContactCentre."""
        ...

    async def add(self, session: aiohttp.ClientSession, connection: Connection, task: NewTask) -> AddResult:
        """Put one number in, once. Raises nothing for what the PBX says or for a link that breaks."""
        ...

    async def remove(
        self, session: aiohttp.ClientSession, connection: Connection, campaign: str, ref: str
    ) -> bool:
        """Take one out, so that it is not called any more; whether the PBX has done it. Raises PbxError, NoContactCentre."""
        ...
