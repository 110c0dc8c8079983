"""What the reducer keeps of channels and calls, and how a channel's owner is read from its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.pbx.connection import Connection
from gateway.pbx.parties import is_extension
from routing.calls.model import Direction


class Role(StrEnum):
    """client: the outside party's channel. ours: an employee's phone. glue: a Local channel, which is neither."""

    CLIENT = "client"
    OURS = "ours"
    GLUE = "glue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """address: whose phone it is: the extension, SIP login or number by which it was dialled or is registered.

    is_leaving: nothing more is expected of it but its Hangup, which may have been lost.
    """

    uniqueid: str
    role: Role
    address: str | None = None
    bridge: str | None = None
    has_rung: bool = False
    has_answered: bool = False
    is_leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call with at least one channel left. key: the Linkedid. is_originated: we dialled its first channel.

    last_at: of its last event by the PBX's clock. heard_at: the same by ours; the two may be minutes apart.
    """

    key: str
    started_at: datetime
    last_at: datetime
    heard_at: datetime
    direction: Direction | None = None
    did: str | None = None
    caller: str | None = None
    is_originated: bool = False
    channels: Mapping[str, Channel] = field(default_factory=dict)

    @property
    def first(self) -> Channel | None:
        return self.channels.get(self.key)


def is_local(name: str) -> bool:
    return name.startswith("Local/")


def known(value: str) -> str | None:
    """Asterisk writes `<unknown>` for an empty number or name."""
    return None if value in ("", "<unknown>", "unknown") else value


def endpoint(channel_name: str) -> str | None:
    """`PJSIP/101-0000002a` -> 101; `Local/101@queue-0001;1` -> 101."""
    _, slash, rest = channel_name.partition("/")
    if not slash:
        return None
    return re.sub(r"-[0-9a-f]+(;[12])?$", "", rest).partition("@")[0] or None


def dialled_address(dial_string: str, channel_name: str) -> str | None:
    """Whom `Dial()` rang: `101`, `uas/sip:101@host`, `79001234567@trunk`, `trunk/79001234567`.

    Without a dial string (its DialBegin was lost) the endpoint of the channel.
    """
    text = dial_string.strip()
    if match := re.search(r"sips?:([^@;/]+)", text):
        return match.group(1)
    if "@" in text:
        return text.partition("@")[0].rpartition("/")[2] or None
    first, slash, rest = text.partition("/")
    if slash and is_number(rest):
        return rest
    return first or endpoint(channel_name)


def is_number(text: str | None) -> bool:
    """Does it look like a public number, not like an extension or a login?"""
    return bool(text and re.fullmatch(r"\+?\d{7,}", text))


def is_dialable(exten: str | None) -> bool:
    """A number that somebody dialled, not a label of the dialplan (`s`, `h`, `dial`)."""
    return bool(exten and re.fullmatch(r"[+*#]?[\d*#]+", exten))


def is_trunk(channel_name: str, connection: Connection) -> bool:
    """Setting `trunks`: the endpoints of providers."""
    return endpoint(channel_name) in connection.words("trunks")


def role_of_dialled(call: LiveCall, channel_name: str, address: str | None, connection: Connection) -> Role:
    if is_local(channel_name):
        return Role.GLUE
    if call.direction in ("inbound", "internal") and not call.is_originated:
        # Whoever is rung for an incoming call is ours, a mobile that the call is forwarded to included.
        return Role.OURS
    if is_trunk(channel_name, connection):
        return Role.CLIENT
    if is_extension(address, connection):
        return Role.OURS
    return Role.CLIENT if is_number(address) else Role.OURS
