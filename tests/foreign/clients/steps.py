"""What the programs share: what the test tells them, and a line of JSON for each operation."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.request import Request, urlopen

URL = os.environ["SANDBOX_URL"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
REDIRECT = os.environ["REDIRECT"]
CODE = os.environ["CODE"]
EXPIRED, REFRESH = os.environ["EXPIRED"], os.environ["REFRESH"]  # a pair whose access token is past its time
TOKEN = os.environ["TOKEN"]  # long-lived
# Of the sample account.
CONTACT, LEAD, COMPANY = 10_000_001, 30_000_003, 29_000_003
MANAGER, PIPELINE, STAGES = 1_000_101, 5_000_001, (5_000_012, 5_000_013)
CONTACTS = 310  # that a list shows
HOOK = "http://127.0.0.1:9/hook"


def step(operation: str, work: Callable[[], Any]) -> Any:
    """Do `work` and report; what it gives, or None where it failed."""
    try:
        given = work()
    except Exception as error:
        return _failed(operation, error)
    _say(operation, None)
    return given


async def astep(operation: str, work: Callable[[], Awaitable[Any]]) -> Any:
    try:
        given = await work()
    except Exception as error:
        return _failed(operation, error)
    _say(operation, None)
    return given


def _failed(operation: str, error: Exception) -> None:
    _say(operation, f"{type(error).__name__}: {error}"[:600])


def _say(operation: str, error: str | None) -> None:
    print(json.dumps({"operation": operation, "error": error}), flush=True)


def same(got: Any, wanted: Any) -> None:
    """Fail where a client read something else than what stands in the account."""
    if got != wanted:
        raise AssertionError(f"{got!r} where {wanted!r} was expected")


def control(path: str, body: Any = None) -> Any:
    """The sandbox's own surface, beside the client."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{URL}/_sandbox/{path}", data=data)) as answer:
        return json.load(answer)


def rows(kind: str, **columns: Any) -> list[dict[str, Any]]:
    query = "".join(f"&{name}={value}" for name, value in columns.items())
    found: list[dict[str, Any]] = control(f"state?kind={kind}{query}")["rows"]
    return found
