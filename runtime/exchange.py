"""One exchange with the CRM as it may be kept and shown: secrets removed, numbers masked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

KEPT_CHARACTERS = 4000

_SECRET = re.compile(
    r'("(?:access_token|refresh_token|client_secret|code|token|password)"\s*:\s*")[^"]*', re.IGNORECASE
)
_BEARER = re.compile(r"(?:[A-Za-z0-9_-]{8,}\.){2}[A-Za-z0-9_-]{8,}|def50200[0-9a-zA-Z]+")
_WEBHOOK_SECRET = re.compile(r"(/crm/[^/\"\s]+/webhooks/)[^\"\\\s?]+")
# A number in text: a plus and digits, or ten digits and more, with the usual signs between. JSON numbers (times, ids)
# have no quote before them in the same token and are left alone.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NUMBER = re.compile(r"\+\d[\d\s().-]{5,}\d|(?<![\w-])\d(?:[\s().-]*\d){9,}(?![\w-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """status: None when no answer came; error: why. sent, received: cut to a few thousand characters."""

    at: datetime
    method: str
    target: str
    status: int | None
    milliseconds: int
    lane: str
    sent: str
    received: str
    error: str = ""
    request_id: str = ""


def shown(body: bytes | None) -> str:
    """A body without secrets and without whole numbers."""
    text = (body or b"")[: KEPT_CHARACTERS * 2].decode("utf-8", "replace")
    text = _WEBHOOK_SECRET.sub(r"\1***", _BEARER.sub("***", _SECRET.sub(r"\1***", text)))
    return _QUOTED.sub(lambda quoted: _masked(quoted.group()), text)[:KEPT_CHARACTERS]


def shown_target(target: str) -> str:
    """Path and query without whole numbers and secrets, decoded for reading."""
    return _WEBHOOK_SECRET.sub(r"\1***", _masked(unquote(target)))


def _masked(text: str) -> str:
    return _NUMBER.sub(lambda match: mask(match.group()), text)


def mask(number: str) -> str:
    """First and last digits stay: +7916***67."""
    head = 5 if number.startswith("+") else 4
    return f"{number[:head]}***{number[-2:]}"
