"""What the reducer keeps of channels and calls, and how a channel's owner is read from its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.parties import is_extension, is_own_number
from gateway.pbx.reading.addresses import endpoint, is_number
from gateway.pbx.reading.machines import is_machine
from routing.calls.model import Direction, FailedSide


class ChannelRole(StrEnum):
    """client: the outside party's channel. ours: an employee's phone. glue: a Local channel or a machine that
    picks up, which is neither."""

    CLIENT = "client"
    OURS = "ours"
    GLUE = "glue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """address: whose phone it is: the extension, SIP login or number by which it was dialled or is registered.

    pair: of one half of a Local channel, what both halves' names have in common. bridge: where it is mixed with others.
    awaits: channels that it had dialled, or that dialled it, and that picked up: they are put together yet, or never.
    dialled: those of them that it was put together with, in a bridge that need not be known; forgotten once it moves on.
    talks_in: the calls with whose clients it talks now; several where they are in one room. stretches: how often it has
    begun to, by call. is_leaving: nothing more is expected of it but its Hangup, which may have been lost.
    """

    uniqueid: str
    role: ChannelRole
    address: str | None = None
    pair: str | None = None
    bridge: str | None = None
    awaits: frozenset[str] = frozenset()
    dialled: frozenset[str] = frozenset()
    talks_in: frozenset[str] = frozenset()
    stretches: Mapping[str, int] = field(default_factory=dict)
    has_rung: bool = False
    is_leaving: bool = False

    def leg(self, call_key: str) -> str:
        """Of its present or latest stretch of talk in a call: who comes back after a consultation talks a second time."""
        begun = self.stretches.get(call_key, 0)
        return self.uniqueid if begun < 2 else f"{self.uniqueid}#{begun}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call with at least one channel left. key: the Linkedid. is_originated: we dialled its first channel.

    last_at: of its last event by the PBX's clock. heard_at: the same by ours; the two may be minutes apart.
    client: the client's number as far as it is known; is_client_told: it has been told. A number that was dialled or shown
    waits for a better one, since whose call it is cannot be taken back once it is told.
    is_direction_told: the dialplan said which way it goes. is_undecided: a phone of ours was lifted before it dialled.
    is_unheard: it began before we listened, or a phone of it was gone when we listened again, so how far it came until then nobody knows.
    is_answered: somebody has talked with the client. picked_up: phones of ours that were lifted for it, in order. got_to: whose side it is while nobody has, where we make the call.
    """

    key: str
    started_at: datetime
    last_at: datetime
    heard_at: datetime
    direction: Direction | None = None
    did: str | None = None
    client: str | None = None
    is_client_told: bool = False
    is_originated: bool = False
    is_direction_told: bool = False
    is_undecided: bool = False
    is_unheard: bool = False
    is_answered: bool = False
    picked_up: tuple[str, ...] = ()
    got_to: FailedSide | None = None
    channels: Mapping[str, Channel] = field(default_factory=dict)

    @property
    def first(self) -> Channel | None:
        return self.channels.get(self.key)


def is_local(name: str) -> bool:
    return name.startswith("Local/")


def is_failed_originate(message: AmiMessage) -> bool:
    """Is it of the pseudo channel on which a failed Originate runs the extension `failed` of its context? It has ids of
    its own and is nobody's call."""
    return message.get("Channel") == "OutgoingSpoolFailed"


def pair_of(name: str) -> str | None:
    """`Local/101@queue-0001;1` and `…;2` are the two ends of one wire."""
    return name[:-2] if is_local(name) and name[-2:] in (";1", ";2") else None


def known(value: str) -> str | None:
    """Asterisk writes `<unknown>` for an empty number or name."""
    return None if value in ("", "<unknown>", "unknown") else value


def is_trunk(channel_name: str, connection: Connection) -> bool:
    """Say whether this is a provider's endpoint (setting `trunks`)."""
    return endpoint(channel_name) in connection.words("trunks")


def without_prefix(number: str, connection: Connection) -> str:
    """Return the number without what phones dial to get an outside line: setting `outside_prefix` (`9`, or several:
    `9,00`)."""
    prefix = next((p for p in connection.words("outside_prefix") if number.startswith(p)), "")
    bare = number.removeprefix(prefix)
    return bare if is_number(bare) else number


def is_same_subscriber(dialled: str, sent: str) -> bool:
    """Is the number that went to the provider what the phone dialled, less a prefix or with the country's code?"""
    ours, theirs = dialled.lstrip("+"), sent.lstrip("+")
    return len(theirs) <= len(ours) and len(theirs) >= 7 and ours[-7:] == theirs[-7:]


def is_phone(owner: str | None, connection: Connection) -> bool:
    """Is it the endpoint of a phone of ours: a short number, or a login of an employee?"""
    return bool(owner) and (is_extension(owner, connection) or str(owner).lower() in connection.phones)


def is_of_employee(address: str | None, connection: Connection) -> bool:
    """Is it how an employee is rung: at a phone of ours, or on a number of their own elsewhere?"""
    return is_phone(address, connection) or is_own_number(address, connection)


def role_of_dialled(
    call: LiveCall, channel_name: str, address: str | None, connection: Connection
) -> ChannelRole:
    if is_local(channel_name) or is_machine(address, connection):
        return ChannelRole.GLUE
    if call.direction in ("inbound", "internal") and not call.is_originated:
        # Whoever is rung for an incoming call is ours, a mobile that the call is forwarded to included.
        return ChannelRole.OURS
    if is_own_number(address, connection):
        return ChannelRole.OURS
    if is_trunk(channel_name, connection):
        return ChannelRole.CLIENT
    if is_phone(address, connection):
        return ChannelRole.OURS
    has_client = any(
        channel.role is ChannelRole.CLIENT and channel.address != address
        for channel in call.channels.values()
    )
    is_told_out = call.is_direction_told and not call.is_originated and not has_client
    return ChannelRole.CLIENT if is_number(address) or is_told_out else ChannelRole.OURS
