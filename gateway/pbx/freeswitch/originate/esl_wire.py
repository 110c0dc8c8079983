"""FreeSWITCH's event socket: bytes ↔ messages. Pure.

A message is a block of `Name: value` lines, and a body where Content-Length says so; an event in plain form is a second such
block as the body of the first, its values URL-encoded. From documentation and memory: not confirmed by a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.pbx.port import WireInvalid

_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EslMessage:
    """headers: by name in small letters. body: of an API's answer, or of an event."""

    headers: Mapping[str, str]
    body: str = ""

    def get(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    @property
    def type(self) -> str:
        return self.get("Content-Type")

    @property
    def reply(self) -> str:
        """What a command is answered: `+OK …` or `-ERR …`."""
        return self.get("Reply-Text") or self.body.strip()


class EslReader:
    """Takes bytes as they come, in any pieces."""

    def __init__(self) -> None:
        self._unread = b""

    def feed(self, data: bytes) -> list[EslMessage]:
        """Return the messages that are whole now. Raises WireInvalid for what is no event socket."""
        self._unread += data
        if len(self._unread) > _MOST_BYTES:
            raise WireInvalid("Content-Length", "is longer than anything of use here")
        messages = []
        while (found := self._first()) is not None:
            messages.append(found)
        return messages

    def _first(self) -> EslMessage | None:
        unread = self._unread.lstrip(b"\n")
        head, gap, rest = unread.partition(b"\n\n")
        if not gap:
            return None
        headers = _headers(head)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) <= 8):
            raise WireInvalid("Content-Length", "is no number")
        if len(rest) < int(length):
            return None
        self._unread = rest[int(length) :]
        return _message(headers, rest[: int(length)])


def _message(headers: Mapping[str, str], body: bytes) -> EslMessage:
    if headers.get("content-type") != "text/event-plain":
        return EslMessage(headers, body.decode("utf-8", "replace"))
    head, _, rest = body.partition(b"\n\n")
    told = {name: unquote(value) for name, value in _headers(head).items()}
    return EslMessage({**headers, **told}, rest.decode("utf-8", "replace"))


def _headers(block: bytes) -> dict[str, str]:
    lines = block.decode("utf-8", "replace").splitlines()
    pairs = [line.partition(":") for line in lines if line.strip()]
    if any(not colon for _, colon, _ in pairs):
        raise WireInvalid("header", "has no colon")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def command(line: str, **headers: str) -> bytes:
    """Return one command. Raises WireInvalid where a value would be another one."""
    values = (line, *headers.values())
    if any(sign in value for value in values for sign in "\r\n\0"):
        raise WireInvalid("command", "has a line break")
    lines = [line, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\n".join(lines) + "\n\n").encode()
