"""What the reducer keeps of channels and calls, and how a channel's owner is read from its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.parties import is_extension
from routing.calls.model import Direction, FailedSide


class ChannelRole(StrEnum):
    """client: the outside party's channel. ours: an employee's phone. glue: a Local channel, which is neither."""

    CLIENT = "client"
    OURS = "ours"
    GLUE = "glue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """address: whose phone it is: the extension, SIP login or number by which it was dialled or is registered.

    pair: of one half of a Local channel, what both halves' names have in common. bridge: where it is mixed with others.
    dialled: channels that it had dialled, or that dialled it, and that took the call; forgotten once it moves on.
    talks_in: the call with whose client it talks now. stretches: how often it has begun to. is_leaving: nothing more is
    expected of it but its Hangup, which may have been lost.
    """

    uniqueid: str
    role: ChannelRole
    address: str | None = None
    pair: str | None = None
    bridge: str | None = None
    dialled: frozenset[str] = frozenset()
    talks_in: str | None = None
    stretches: int = 0
    has_rung: bool = False
    is_leaving: bool = False

    @property
    def leg(self) -> str:
        """Of the present or latest stretch of talk: who comes back after a consultation talks a second time."""
        return self.uniqueid if self.stretches < 2 else f"{self.uniqueid}#{self.stretches}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call with at least one channel left. key: the Linkedid. is_originated: we dialled its first channel.

    last_at: of its last event by the PBX's clock. heard_at: the same by ours; the two may be minutes apart.
    client: the client's number as far as it is known; is_client_told: it has been told. A number that was dialled or shown
    waits for a better one, since whose call it is cannot be taken back once it is told.
    is_answered: somebody has talked with the client. got_to: whose side it is while nobody has, where we make the call.
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
    is_answered: bool = False
    got_to: FailedSide | None = None
    channels: Mapping[str, Channel] = field(default_factory=dict)

    @property
    def first(self) -> Channel | None:
        return self.channels.get(self.key)


# Channel drivers whose name may stand before a dial string.
_TECHNOLOGIES = frozenset(
    [
        "agent",
        "console",
        "dahdi",
        "dongle",
        "gtalk",
        "h323",
        "iax2",
        "jingle",
        "khomp",
        "local",
        "mgcp",
        "misdn",
        "mobile",
        "motif",
        "ooh323",
        "pjsip",
        "sccp",
        "sip",
        "skinny",
        "unistim",
        "ustm",
        "vpb",
        "webrtc",
        "zap",
    ]
)
# Of these `office2/102` is the number 102 at the peer office2; of PJSIP and SIP what stands first is the phone.
_PEER_THEN_NUMBER = frozenset({"iax2", "dahdi", "zap", "dongle", "mobile", "khomp", "misdn", "vpb"})


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


def endpoint(channel_name: str) -> str | None:
    """`PJSIP/101-0000002a` -> 101; `Local/101@queue-0001;1` -> 101; `DAHDI/i1/79001234567-3` -> 79001234567."""
    _, slash, rest = channel_name.partition("/")
    if not slash:
        return None
    name = re.sub(r"-[0-9a-f]+(;[12])?$", "", rest).partition("@")[0]
    last = name.rpartition("/")[2]
    return (last if is_number(last) else name) or None


def dialled_address(dial_string: str, channel_name: str) -> str | None:
    """Whom an application rang, as each spells it.

    Dial() leaves the technology out (`101`, `uas/sip:101@host`, `79001234567@trunk`, `trunk/79001234567`, `office2/102`),
    queues and others write the whole interface (`PJSIP/102`, `Local/102@from-queue/n`, `DAHDI/g0/79001234567`). Without
    a dial string (its DialBegin was lost) the endpoint of the channel.
    """
    text = dial_string.strip()
    if match := re.search(r"sips?:([^@;/]+)", text):
        return match.group(1)
    technology = channel_name.partition("/")[0].lower()
    first, slash, rest = text.partition("/")
    if slash and first.lower() in _TECHNOLOGIES | {technology}:
        technology, text = first.lower(), rest
    if "@" in text:
        text = text.partition("@")[0]
        return text.rpartition("/")[2] or None
    first, _, last = text.rpartition("/")
    if first and (is_number(last) or (technology in _PEER_THEN_NUMBER and is_dialable(last))):
        return last
    return text.partition("/")[0] or endpoint(channel_name)


def is_number(text: str | None) -> bool:
    """Does it look like a public number, not like an extension or a login?"""
    return bool(text and re.fullmatch(r"\+?\d{7,}", text))


def is_dialable(exten: str | None) -> bool:
    """A number that somebody dialled, not a label of the dialplan (`s`, `h`, `dial`)."""
    return bool(exten and re.fullmatch(r"[+*#]?[\d*#]+", exten))


def is_trunk(channel_name: str, connection: Connection) -> bool:
    """Setting `trunks`: the endpoints of providers."""
    return endpoint(channel_name) in connection.words("trunks")


def without_prefix(number: str, connection: Connection) -> str:
    """Setting `outside_prefix`: what phones dial to get an outside line (`9`, or several: `9,00`)."""
    prefix = next((p for p in connection.words("outside_prefix") if number.startswith(p)), "")
    bare = number.removeprefix(prefix)
    return bare if is_number(bare) else number


def is_same_subscriber(dialled: str, sent: str) -> bool:
    """Is the number that went to the provider what the phone dialled, less a prefix or with the country's code?"""
    ours, theirs = dialled.lstrip("+"), sent.lstrip("+")
    return len(theirs) <= len(ours) and len(theirs) >= 7 and ours[-7:] == theirs[-7:]


def role_of_dialled(
    call: LiveCall, channel_name: str, address: str | None, connection: Connection
) -> ChannelRole:
    if is_local(channel_name):
        return ChannelRole.GLUE
    if call.direction in ("inbound", "internal") and not call.is_originated:
        # Whoever is rung for an incoming call is ours, a mobile that the call is forwarded to included.
        return ChannelRole.OURS
    if is_trunk(channel_name, connection):
        return ChannelRole.CLIENT
    if is_extension(address, connection):
        return ChannelRole.OURS
    return ChannelRole.CLIENT if is_number(address) else ChannelRole.OURS
