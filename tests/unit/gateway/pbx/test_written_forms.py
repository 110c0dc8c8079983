"""Directions, times, durations and causes in the forms that are seen; any other costs itself only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.intake.inbox import client_number
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Parsed
from routing.calls.fold import fold
from routing.settings import NumberPolicy
from tests.unit.gateway.pbx.builders import RECEIVED, a_connection, a_request


def parse(settings: dict[str, Any] | None = None, **fields: Any) -> Parsed:
    told = {"event": "newCall", "callId": "c1", "from": "+79001234567", "to": "+74951234567"}
    told = {**told, "direction": "in", **{name.rstrip("_"): value for name, value in fields.items()}}
    return KINDS["generic"].parse(a_request(body=told), a_connection(settings=settings or {}))


def test_the_direction_that_the_pbx_states_is_believed_of_a_small_towns_numbers() -> None:
    call = fold(parse(from_="735797", to="101").events)
    assert (call.direction, call.client, call.line) == ("inbound", "735797", "101")
    call = fold(parse(from_="101", to="735797", direction="out").events)
    assert (call.direction, call.client) == ("outbound", "735797")
    assert fold(parse(from_="735797", to="101", direction=None).events).direction == "internal"
    six = {"extension_digits": 6}
    assert fold(parse(six, from_="735797", to="101").events).direction == "internal"


def test_a_small_towns_number_is_a_client_where_the_account_knows_its_area() -> None:
    town = NumberPolicy(area_code="4822", internal_digits=4)
    assert client_number(parse(from_="735797", to="101").events, town) == "+74822735797"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-20T10:00:00Z",
        "2026-11-20T13:00:00 03:00",
        "2026-11-20 13:00:00",
        "20.11.2026 13:00",
        "20/11/2026 13:00:00",
        "2026/11/20 13:00:00",
        "20-11-2026 13:00:00",
        "11/20/2026 1:00:00 PM",
        "11/20/2026 01:00 pm",
        "Fri, 20 Nov 2026 13:00:00 +0300",
        "20261120130000",
        "1795168800",
        "1795168800.5",
        1795168800123,
    ],
)
def test_times_in_the_forms_that_are_seen(written: Any) -> None:
    moscow = {"time_zone": "Europe/Moscow"}
    parsed = parse(moscow, at=written)
    assert (parsed.spoilt, parsed.events[0].at.replace(microsecond=0)) == (
        (),
        datetime(2026, 11, 20, 10, tzinfo=UTC),
    )
    hook = {"call_id": "1", "caller": "380671112233", "callee": "380441112233", "calldate": written}
    pbx = a_connection("ringostat", settings=moscow)
    parsed = KINDS["ringostat"].parse(a_request("before", body=hook), pbx)
    assert parsed.events[0].at.replace(microsecond=0) == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["20261120", "2026-11-20 13:00:00", "31/31/2026 10:00", "0", "²", "Fri, 99 Nov 2026", "1e999"]
)
def test_any_other_time_is_that_of_receipt(written: str) -> None:
    parsed = parse(at=written)  # its zone is not known
    assert (parsed.spoilt, parsed.events[0].at) == (("at",), RECEIVED)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (83, 83),
        ("83", 83),
        ("12.345", 12),
        (0.4, 1),
        ("00:01:23", 83),
        ("1:23", 83),
        ("0", 0),
        ("00:00:00", 0),
    ],
)
def test_durations_in_the_forms_that_are_seen(written: Any, seconds: int) -> None:
    parsed = parse(event="hangup", billsec=written)
    assert (parsed.spoilt, fold(parsed.events).talk_seconds) == ((), seconds)
    hook = {"call_id": "1", "caller": "380671112233", "callee": "380441112233", "billsec": written}
    report = KINDS["ringostat"].parse(a_request("after", body=hook), a_connection("ringostat"))
    assert fold(report.events).talk_seconds == seconds


@pytest.mark.parametrize(
    ("written", "disposition"),
    [
        ("canceled", "cancelled"),
        ("completed", "no_answer"),
        ("16", "no_answer"),
        (17, "busy"),
        ("19", "no_answer"),
        ("21", "rejected"),
        ("34", "failed"),
        ("486", "busy"),
        ("487", "cancelled"),
        ("NO_ANSWER", "no_answer"),
        ("aliens", "no_answer"),
        ("99999", "no_answer"),
    ],
)
def test_any_cause_ends_the_call(written: Any, disposition: str) -> None:
    call = fold([*parse().events, *parse(event="hangup", cause=written).events])
    assert (call.is_over, call.disposition) == (True, disposition)
