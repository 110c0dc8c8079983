"""What the Kamailio recipe posts."""

from __future__ import annotations

import pytest

from gateway.pbx.kamailio.wire import generic_fields
from gateway.pbx.port import WireInvalid


def test_the_time_may_be_unix_seconds_with_a_fraction() -> None:
    fields = generic_fields({"event": "invite", "callId": "1", "at": "1795290710.350521"}, "")
    assert fields["at"] == "2026-11-21T19:51:50.350521+00:00"
    assert fields["event"] == "newCall"


def test_a_time_that_is_already_rfc_3339_stays() -> None:
    assert generic_fields({"event": "bye", "at": "2026-11-21T10:00:00Z"}, "")["at"] == "2026-11-21T10:00:00Z"


def test_the_final_status_of_a_failure_is_its_cause() -> None:
    assert generic_fields({"event": "failure", "code": "486"}, "")["cause"] == "busy"
    with pytest.raises(WireInvalid, match="code"):
        generic_fields({"event": "failure", "code": "42"}, "")
