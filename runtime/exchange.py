"""One exchange with the CRM as it may be kept and shown: secrets removed, numbers masked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from runtime.masking import HIDDEN, mask_numbers, mask_secrets, mask_text

KEPT_CHARACTERS = 4000

# JSON numbers (times, ids) have no quote before them in the same token and are left alone.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NUMBER_UNQUOTED = re.compile(r'("(?:phone|number)"\s*:\s*)(\d{7,})')
_CODE = re.compile(r'("code"\s*:\s*")[^"]*')  # of OAuth; elsewhere codes are of errors


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
    """Return a body without secrets and without whole numbers."""
    text = (body or b"")[: KEPT_CHARACTERS * 2].decode("utf-8", "replace")
    text = _CODE.sub(rf"\1{HIDDEN}", mask_secrets(text))
    text = _NUMBER_UNQUOTED.sub(lambda found: f"{found[1]}{mask_numbers(found[2])}", text)
    return _QUOTED.sub(lambda quoted: mask_numbers(quoted.group()), text)[:KEPT_CHARACTERS]


def shown_target(target: str) -> str:
    """Path and query without whole numbers and secrets, decoded for reading."""
    return mask_text(unquote(target))
