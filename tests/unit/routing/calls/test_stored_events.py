"""Events that older versions stored: a new worker reads them while old gateways still run."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from routing.calls.model import CallEvent

_FIRST = {"kind": "started", "call_key": "1772445600.7", "at": "2026-03-02T10:00:00Z"}
OLDEST = {
    **_FIRST,
    "seq": 1,
    "leg": "1772445600.8",
    "direction": "inbound",
    "client": "+79161234567",
    "line": "100",
    "party": "101",
    "cause": "busy",
    "talk_seconds": 3,
    "wait_seconds": 2,
    "answered_at": None,
    "recording": None,
    "transferred_from": None,
    "is_callback": False,
    "params": {"utm_source": "site"},
}
"""Without what later versions tell beside it: failed_side, started_at."""


@pytest.mark.parametrize("stored", [_FIRST, OLDEST], ids=["least", "most"])
def test_an_event_that_an_older_gateway_stored_is_read(stored: dict[str, object]) -> None:
    [event] = TypeAdapter(tuple[CallEvent, ...]).validate_python([stored])
    assert event.call_key == "1772445600.7"
    assert event.failed_side is None
    told = event.model_dump(mode="json")
    assert {key: told[key] for key in stored if key != "at"} == {k: v for k, v in stored.items() if k != "at"}
