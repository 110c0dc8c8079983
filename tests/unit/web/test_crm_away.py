"""Why the CRM takes nothing, as the process that serves the account told it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.web.crm_away.told import CrmAway, crm_away

NOW = datetime(2026, 11, 27, 13, 5, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=7)


def _writer(code: str, ago: timedelta = timedelta(minutes=7)) -> dict[str, Any]:
    return {"writer": {"reason": code, "reason_since": (NOW - ago).isoformat()}}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, None),
        ({"circuit": {"name": "closed"}, "token": {"warning": None}, "moved_to": None}, None),
        (_writer("crm-throttled"), None),
        (_writer("crm-unavailable", timedelta(seconds=5)), None),
        (_writer("crm-unavailable"), CrmAway("silent", SINCE)),
        (_writer("crm-unpaid"), CrmAway("unpaid", SINCE)),
        (_writer("crm-unauthorised"), CrmAway("key", SINCE)),
        ({"silent_since": SINCE.isoformat()}, CrmAway("silent", SINCE)),
        (
            {"silent_since": SINCE.isoformat()} | _writer("crm-unavailable", timedelta(minutes=2)),
            CrmAway("silent", SINCE),
        ),
        ({"silent_since": SINCE.isoformat()} | _writer("crm-throttled"), CrmAway("silent", SINCE)),
        ({"silent_since": (NOW - timedelta(seconds=20)).isoformat()}, None),
        ({"token": {"warning": "expired"}}, CrmAway("key")),
        ({"token": {"warning": "expires-soon"}}, None),
        ({"moved_to": "https://other.example"}, CrmAway("moved")),
        ({"circuit": {"name": "probing"}} | _writer("crm-blocked"), CrmAway("closed", SINCE)),
    ],
)
def test_only_what_lasts_is_told(told: dict[str, Any], expected: CrmAway | None) -> None:
    assert crm_away(told, NOW) == expected
