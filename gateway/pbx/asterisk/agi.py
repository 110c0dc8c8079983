"""FastAGI as bytes ↔ values. Pure: no socket here.

Asterisk connects and sends `agi_…: value` lines and an empty one; then it reads one command per line and answers each
with a status line. It never times out on us: whoever serves this must answer or close.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.pbx.port import LookupRequest, WireInvalid
from gateway.pbx.query import read_pairs

_MOST_BYTES = 64 * 1024
_UNKNOWN = frozenset({"", "unknown", "<unknown>"})


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """path, query: of the script in `agi://host/path?query`. args: `agi_arg_1` and so on. variables: all lines."""

    path: str
    query: Mapping[str, str]
    args: tuple[str, ...]
    variables: Mapping[str, str]

    def question(self) -> LookupRequest:
        """Return the question. The first argument, where given, is the number that was dialled: after a Goto `agi_extension` is not."""
        number = self.query.get("phone") or self.variables.get("agi_callerid", "")
        did = (self.args[0] if self.args else "") or self.query.get("did") or ""
        did = did or self.variables.get("agi_dnid", "")
        if did.lower() in _UNKNOWN:
            did = self.variables.get("agi_extension", "")
        return LookupRequest(
            phone=None if number.lower() in _UNKNOWN else number,
            did=did or None,
            call_id=self.variables.get("agi_uniqueid") or None,
        )


@dataclass(frozen=True, slots=True)
class AgiReply:
    """code 200 = done; result: what `result=` says; value: what stands in brackets. is_gone: the caller left."""

    code: int
    result: str = ""
    value: str | None = None
    is_gone: bool = False

    @property
    def is_done(self) -> bool:
        return self.code == 200 and self.result not in ("-1", "")


def parse_request(block: bytes) -> AgiRequest:
    """Return the header block without its empty line. Raises WireInvalid."""
    if len(block) > _MOST_BYTES:
        raise WireInvalid("request", f"is longer than {_MOST_BYTES} bytes")
    variables: dict[str, str] = {}
    for raw in block.split(
        b"\n"
    ):  # a caller's name may hold whatever else Unicode takes for the end of a line
        line = raw.rstrip(b"\r").decode(errors="replace").replace("\x00", "")
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise WireInvalid("request", "holds a line that is no agi_ variable")
        variables[name] = value.strip()
    if "agi_request" not in variables and "agi_network_script" not in variables:
        raise WireInvalid("agi_request", "is missing")
    script = variables.get("agi_network_script", "")
    path, _, query = script.partition("?")
    args: list[str] = []
    while (name := f"agi_arg_{len(args) + 1}") in variables:
        args.append(variables[name])
    return AgiRequest(path.strip("/"), read_pairs(query), tuple(args), variables)


def command(verb: str, *arguments: str) -> bytes:
    """One command. Arguments are quoted. Raises WireInvalid for a line break in them."""
    for argument in arguments:
        if any(sign in argument for sign in "\r\n\x00"):
            raise WireInvalid("argument", "holds a line break")
    quoted = ['"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"' for argument in arguments]
    return (" ".join([verb, *quoted]) + "\n").encode()


def set_variable(name: str, value: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_()]*", name):
        raise WireInvalid("name", "is no name of a channel variable")
    return f"SET VARIABLE {name} ".encode() + command("", value).lstrip()


def parse_reply(line: bytes) -> AgiReply:
    """One status line. `HANGUP` is the caller leaving. Raises WireInvalid."""
    text = line.decode(errors="replace").strip()
    if text == "HANGUP":
        return AgiReply(511, is_gone=True)
    match = re.match(r"(\d{3})[ -](.*)$", text)
    if match is None:
        raise WireInvalid("reply", "is no status line")
    code, rest = int(match.group(1)), match.group(2)
    told = re.match(r"result=(-?\w*)(?: \((.*)\))?", rest)
    if told is None:
        return AgiReply(code, is_gone=code == 511)
    return AgiReply(code, told.group(1), told.group(2))
