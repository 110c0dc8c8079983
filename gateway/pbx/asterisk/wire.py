"""The Asterisk Manager Interface as bytes ↔ messages. Pure: no socket here.

A message is a block of `Key: value` lines that ends with an empty line; keys may repeat (ChanVariable, Output).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.pbx.port import WireInvalid

_BANNER = "Asterisk Call Manager/"
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Message:
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


def message(fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> Message:
    return Message(tuple(fields.items() if isinstance(fields, Mapping) else fields))


@dataclass(slots=True)
class Reader:
    """Bytes in as they arrive, whole messages out. banner: the version line, once it has been read.

    Raises WireInvalid when a message grows beyond most_bytes: the other side is not an AMI, or hostile.
    """

    most_bytes: int = _MOST_BYTES
    banner: str | None = None
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Message]:
        self._rest += data
        messages: list[Message] = []
        while (block := self._next_block()) is not None:
            if block.strip():
                messages.append(parse_block(block))
        if len(self._rest) > self.most_bytes:
            raise WireInvalid("message", f"is longer than {self.most_bytes} bytes")
        return messages

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
        for ending in (b"\r\n\r\n", b"\n\n"):
            place = self._rest.find(ending)
            if place >= 0:
                block = bytes(self._rest[:place])
                del self._rest[: place + len(ending)]
                return block
        return None


def parse_block(block: bytes) -> Message:
    """One block without its empty line. Lines that are no `Key: value` (old command output) are kept as Output."""
    fields = []
    # Caller names may hold any bytes: a broken one must not cost the call.
    for line in block.decode(errors="replace").replace("\x00", "").splitlines():
        key, colon, value = line.partition(":")
        if colon and key and " " not in key.strip():
            fields.append((key.strip(), value.strip()))
        elif line.strip():
            fields.append(("Output", line))
    return Message(tuple(fields))


def serialise(action: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """An action. Raises WireInvalid for a line break in a name or value: it would smuggle in another header or action."""
    lines = [("Action", action), *fields]
    for name, value in lines:
        if any(sign in name + value for sign in "\r\n\x00") or not name or ":" in name:
            raise WireInvalid(name or "name", "holds a line break or is no name of a header")
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n"
