"""Where a page of a list by time goes on: the moment and the id of its last row, as one word."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import orjson

from gateway.admin.refused import InputRefused


def page_after(text: str) -> tuple[datetime, str]:
    """Read what `next_page` said. Raise InputRefused for anything else."""
    try:
        at, id = orjson.loads(base64.urlsafe_b64decode(text.encode()))
        return datetime.fromisoformat(at), str(id)
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError) as err:
        raise InputRefused("after", "is no page of this list", "pass on what `next` said") from err


def next_page(at: datetime, id: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([at.isoformat(), id])).decode()
