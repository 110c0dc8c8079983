"""The Asterisk Manager Interface as bytes ↔ messages. Pure: no socket here.

A message is a block of `Key: value` lines that ends with an empty line; keys may repeat (ChanVariable, Output).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.text import decoded, legible

_BANNER = "Asterisk Call Manager/"
_MOST_BYTES = 256 * 1024
# An empty line ends a message, whatever mixture of CR and LF a proxy or an old version makes of it.
_END = re.compile(rb"\n\r*\n")
# What a message is filed by. Two different values of one are a forgery or damage: no telling which is meant.
_IDS = frozenset({"event", "uniqueid", "linkedid", "destuniqueid", "destlinkedid", "bridgeuniqueid"})


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """One block. Keys are compared without regard to case; the first value of a repeated key counts."""

    fields: tuple[tuple[str, str], ...]

    def get(self, key: str, default: str = "") -> str:
        wanted = key.lower()
        return next((value for name, value in self.fields if name.lower() == wanted), default)

    def all(self, key: str) -> tuple[str, ...]:
        wanted = key.lower()
        return tuple(value for name, value in self.fields if name.lower() == wanted)

    @property
    def event(self) -> str | None:
        return self.get("Event") or None

    @property
    def response(self) -> str | None:
        return self.get("Response") or None

    @property
    def action_id(self) -> str | None:
        return self.get("ActionID") or None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


def message(fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> AmiMessage:
    return AmiMessage(tuple(fields.items() if isinstance(fields, Mapping) else fields))


@dataclass(slots=True)
class AmiReader:
    """Bytes in as they arrive, whole messages out. banner: the version line, once it has been read.

    on_unreadable: told of each message that is left out, since it grew beyond most_bytes or names two ids: it costs only
    itself. Raises WireInvalid where the other side is no AMI.
    """

    most_bytes: int = _MOST_BYTES
    banner: str | None = None
    on_unreadable: Callable[[WireInvalid], None] | None = None
    _rest: bytearray = field(default_factory=bytearray)
    _is_skipping: bool = False

    def feed(self, data: bytes) -> list[AmiMessage]:
        self._rest += data
        messages: list[AmiMessage] = []
        while (block := self._next_block()) is not None:
            if self._is_skipping:  # the end of one that was too long
                self._is_skipping = False
            elif block.strip():
                self._read(block, messages)
        if self.banner is None and len(self._rest) > self.most_bytes:
            raise WireInvalid("banner", "is not that of an Asterisk Call Manager")
        if len(self._rest) > self.most_bytes:
            if not self._is_skipping:
                self._leave_out(WireInvalid("message", f"is longer than {self.most_bytes} bytes"))
            self._is_skipping = True
            del self._rest[:-2]  # the end may begin in the last two bytes
        return messages

    def _read(self, block: bytes, messages: list[AmiMessage]) -> None:
        try:
            messages.append(parse_block(block))
        except WireInvalid as err:
            self._leave_out(err)

    def _leave_out(self, err: WireInvalid) -> None:
        if self.on_unreadable is not None:
            self.on_unreadable(err)

    def _next_block(self) -> bytes | None:
        if self.banner is None and self._rest:
            # The banner is a single line without an empty one after it; anything else there is no AMI.
            head, newline, rest = bytes(self._rest).partition(b"\n")
            if not newline:
                return None
            line = head.strip().decode(errors="replace")
            if not line.startswith(_BANNER):
                raise WireInvalid("banner", "is not that of an Asterisk Call Manager")
            self.banner = line
            self._rest = bytearray(rest)
        if (end := _END.search(self._rest)) is None:
            return None
        block = bytes(self._rest[: end.start()])
        del self._rest[: end.end()]
        return block


def parse_block(block: bytes) -> AmiMessage:
    """One block without its empty line. Lines that are no `Key: value` (old command output) are kept as Output.

    Raises WireInvalid naming an id that stands twice with different values.
    """
    fields = []
    # Caller names may hold any bytes: a broken one must not cost the call, nor may what Unicode takes for the end of a
    # line begin a header.
    for raw in block.split(b"\n"):
        line = legible(decoded(raw.rstrip(b"\r").replace(b"\x00", b"")))
        key, colon, value = line.partition(":")
        if colon and key and " " not in key.strip():
            fields.append((key.strip(), value.strip()))
        elif line.strip():
            fields.append(("Output", line))
    ids = {(key.lower(), value) for key, value in fields if key.lower() in _IDS}
    for name, count in Counter(name for name, _ in ids).items():
        if count > 1:
            raise WireInvalid(name, "stands twice with different values")
    return AmiMessage(tuple(fields))


_OF_CHANNELS = frozenset(
    {"newchannel", "newstate", "newcallerid", "newexten", "hangup", "bridgeenter", "bridgeleave"}
)


def odd(message: AmiMessage) -> str | None:
    """Say what an event lacks that Asterisk itself always writes; None for a whole one, and for what answers an action.

    A line break in a caller's number cuts the event of their channel in two and puts events of theirs between the halves.
    """
    if message.response or message.action_id:
        return None
    if message.event is None:
        return "no Event"
    if message.event.lower() in _OF_CHANNELS and not message.get("Uniqueid"):
        return "no Uniqueid"
    return None if message.get("Privilege") else "no Privilege"


def serialise(action: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return the bytes of an action. Raises WireInvalid for a line break in a name or value: it would smuggle in another header or action."""
    lines = [("Action", action), *fields]
    for name, value in lines:
        if any(sign in name + value for sign in "\r\n\x00") or not name or ":" in name:
            raise WireInvalid(name or "name", "holds a line break or is no name of a header")
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n"


def listed_for(message: AmiMessage) -> timedelta:
    """Return how long a listed channel has lived: `00:01:02`, hours first; nothing where it cannot be read."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d)", message.get("Duration"))
    if match is None:
        return timedelta(0)
    hours, minutes, seconds = map(int, match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
