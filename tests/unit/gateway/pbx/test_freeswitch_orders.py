"""Calls that FreeSWITCH makes at our order: what is written, what is read, and what the reports of the legs tell of an attempt."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pbx.capabilities import Cancelled, CannotTell, FindResult, Live, NotSeen, PlaceOrder
from gateway.pbx.freeswitch.originate.esl_wire import EslReader, command
from gateway.pbx.freeswitch.originate.orders import found, killed, originate_command, told_by_job
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Inbound, WireInvalid
from routing.calls.fold import fold
from routing.calls.model import Call
from routing.outbound.outcome import outcome_of
from tests.unit.gateway.pbx.builders import a_connection, a_request

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
ORDER = PlaceOrder(
    attempt_id=ATTEMPT,
    extension="101",
    number="+79161234567",
    line="+74951234567",
    ring_seconds=20,
    client_ring_seconds=30,
    display_name="Анна 'x' {a=b}",
)
PBX = a_connection("freeswitch", settings={"esl_host": "pbx", "originate_gateway": "provider"})


def test_the_order_rings_the_employee_and_bridges_the_client() -> None:
    assert originate_command(ORDER, PBX) == (
        f"originate {{origination_uuid={ATTEMPT},callmatrix_attempt={ATTEMPT},callmatrix_client=+79161234567,"
        "callmatrix_direction=out,origination_caller_id_number=+79161234567,origination_caller_id_name='Анна x a b',"
        "effective_caller_id_number=+74951234567,effective_caller_id_name=+74951234567,originate_timeout=20,"
        "ignore_early_media=true,hangup_after_bridge=true}user/101 "
        f"&bridge([callmatrix_attempt={ATTEMPT},leg_timeout=30]sofia/gateway/provider/79161234567)"
    )


def test_without_a_line_the_client_is_not_shown_their_own_number() -> None:
    line = originate_command(replace(ORDER, line=None), PBX)
    assert "effective_caller_id_number=101,effective_caller_id_name=101," in line


def test_a_domain_of_the_phones_can_be_named() -> None:
    settings = {**PBX.settings, "originate_domain": "pbx.example"}
    assert "}user/101@pbx.example &bridge" in originate_command(ORDER, replace(PBX, settings=settings))


@given(st.text(max_size=80))
def test_no_name_makes_the_order_another_one(name: str) -> None:
    line = originate_command(replace(ORDER, display_name=name), PBX)
    plain = originate_command(replace(ORDER, display_name="x"), PBX)
    for sign in "{}[]'\",&()=\n\r\0":
        assert line.count(sign) == plain.count(sign)


@pytest.mark.parametrize("settings", [{"originate_gateway": "a/b"}, {"originate_domain": "a b"}])
def test_a_setting_that_is_no_word_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(WireInvalid, match="originate_"):
        originate_command(ORDER, replace(PBX, settings={**PBX.settings, **settings}))


def test_a_line_break_is_no_part_of_a_command() -> None:
    assert command("bgapi x", Job_UUID="1") == b"bgapi x\nJob-UUID: 1\n\n"
    for wrong in ("a\nb", "a\rb", "a\0b"):
        with pytest.raises(WireInvalid):
            command(wrong)


@pytest.mark.parametrize(
    ("body", "concerns"),
    [
        ("+OK 0b0f6c2e\n", None),
        ("-ERR NO_ANSWER\n", None),
        ("-ERR USER_BUSY\n", None),
        ("-ERR CALL_REJECTED\n", None),
        ("-ERR ORIGINATOR_CANCEL\n", None),
        ("-ERR UNALLOCATED_NUMBER\n", None),
        ("", None),
        ("-ERR USER_NOT_REGISTERED\n", "this_call"),
        ("-ERR SUBSCRIBER_ABSENT\n", "this_call"),
        ("-ERR DESTINATION_OUT_OF_ORDER\n", "this_call"),
        ("-ERR NO_ROUTE_DESTINATION\n", "this_call"),
        ("-ERR CHAN_NOT_IMPLEMENTED\n", "connection"),
    ],
)
def test_only_what_rang_no_phone_is_a_refusal(body: str, concerns: str | None) -> None:
    told = told_by_job(body)
    assert (told and told.concerns) == concerns


@pytest.mark.parametrize(
    ("dump", "is_known_as"),
    [
        ("-ERR No such channel!\n", NotSeen()),
        ("", CannotTell("FreeSWITCH did not say how far the call is")),
        (f"Unique-ID: {ATTEMPT}\nAnswer-State: ringing\n", Live("operator_ringing")),
        (f"Unique-ID: {ATTEMPT}\nAnswer-State: early\n", Live("operator_ringing")),
        (f"Unique-ID: {ATTEMPT}\nAnswer-State: answered\n", Live("operator_answered")),
        (f"Unique-ID: {ATTEMPT}\nAnswer-State: answered\nOther-Leg-Unique-ID: b\n", Live("client_ringing")),
        (f"Unique-ID: {ATTEMPT}\nAnswer-State: answered\nvariable_bridge_uuid: b\n", Live("talking")),
    ],
)
def test_how_far_a_leg_is(dump: str, is_known_as: FindResult) -> None:
    assert found(dump) == is_known_as


def test_how_a_hangup_is_answered() -> None:
    assert killed("+OK\n") == Cancelled()
    assert killed("-ERR No such channel!\n") == NotSeen()
    assert killed("-ERR busy\n") == CannotTell("-ERR busy")


EVENT = b"Event-Name: BACKGROUND_JOB\nJob-UUID: j\nJob-Command-Arg: a%20b\nContent-Length: 4\n\n-ERR"
TOLD = (
    b"Content-Type: auth/request\n\nContent-Length: %d\nContent-Type: text/event-plain\n\n" % len(EVENT)
    + EVENT
)


@given(st.integers(1, 40))
def test_messages_are_read_in_any_pieces(size: int) -> None:
    reader = EslReader()
    pieces = [TOLD[i : i + size] for i in range(0, len(TOLD), size)]
    first, event = [message for piece in pieces for message in reader.feed(piece)]
    assert (first.type, event.type, event.body) == ("auth/request", "text/event-plain", "-ERR")
    assert (event.get("Job-UUID"), event.get("job-command-arg")) == ("j", "a b")


@pytest.mark.parametrize(
    "told", [b"HTTP/1.1 400 Bad Request\n\n", b"Content-Length: -1\n\n", b"Content-Length: x\n\n"]
)
def test_what_is_no_event_socket_is_refused(told: bytes) -> None:
    with pytest.raises(WireInvalid):
        EslReader().feed(told)


def test_what_never_ends_is_not_kept() -> None:
    with pytest.raises(WireInvalid):
        EslReader().feed(b"x" * (5 * 1024 * 1024))


# -- what the reports tell ---------------------------------------------------------------------------------------------


def a_report(uuid: str, **variables: str) -> Inbound:
    about = {"uuid": uuid, "direction": "outbound", "callmatrix_attempt": ATTEMPT}
    times = {"start_epoch": "1795262400", "end_epoch": "1795262420"}
    number = "101" if uuid == ATTEMPT else "79161234567"
    profile = {"caller_id_number": "+79161234567", "destination_number": number}
    flow = [{"caller_profile": profile, "times": {"bridged_time": variables.pop("bridged", "0")}}]
    return a_request(body={"variables": {**about, **times, **variables}, "callflow": flow})


def employees(**variables: str) -> Inbound:
    about = {"dialed_user": "101", "callmatrix_client": "+79161234567", "callmatrix_direction": "out"}
    return a_report(ATTEMPT, **about, **variables)


def told(*reports: Inbound) -> Call:
    return fold([event for report in reports for event in KINDS["freeswitch"].parse(report, PBX).events])


UP = {"answer_epoch": "1795262405", "hangup_cause": "NORMAL_CLEARING"}


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([employees(hangup_cause="NO_ANSWER")], ("operator", "no_answer")),
        ([employees(hangup_cause="USER_BUSY")], ("operator", "busy")),
        ([employees(hangup_cause="CALL_REJECTED")], ("operator", "declined")),
        ([employees(hangup_cause="UNALLOCATED_NUMBER")], ("operator", "unreachable")),
        ([employees(**UP)], ("operator", "hung_up")),
        (
            [employees(**UP, originate_disposition="USER_BUSY"), a_report("b", hangup_cause="USER_BUSY")],
            ("client", "busy"),
        ),
        (
            [
                employees(**UP, originate_disposition="CALL_REJECTED"),
                a_report("b", hangup_cause="CALL_REJECTED"),
            ],
            ("client", "declined"),
        ),
        (
            [
                employees(**UP, originate_disposition="UNALLOCATED_NUMBER"),
                a_report("b", hangup_cause="UNALLOCATED_NUMBER"),
            ],
            ("client", "bad_number"),
        ),
        (
            [
                employees(**UP, originate_disposition="NORMAL_TEMPORARY_FAILURE"),
                a_report("b", hangup_cause="NORMAL_TEMPORARY_FAILURE"),
            ],
            ("client", "unreachable"),
        ),
        (
            [
                employees(**UP, originate_disposition="SUCCESS", bridged="1795262410000000"),
                a_report("b", answer_epoch="1795262410", hangup_cause="NORMAL_CLEARING"),
            ],
            ("talked", "talked"),
        ),
    ],
)
def test_an_attempts_outcome_is_read_from_the_reports(
    reports: list[Inbound], outcome: tuple[Any, Any]
) -> None:
    for order in permutations([*reports, reports[0]]):
        call = told(*order)
        known = outcome_of(call)
        assert known is not None
        assert (known.side, known.reason) == outcome
        assert (call.attempt, call.call_key, call.direction) == (ATTEMPT, ATTEMPT, "outbound")
        assert call.client == "+79161234567"


def test_a_report_of_the_client_alone_is_no_incoming_call() -> None:
    call = told(a_report("b", hangup_cause="UNALLOCATED_NUMBER"))
    assert (call.direction, call.client, call.attempt) == ("outbound", "79161234567", ATTEMPT)
    assert call.number_word == "no_such_number"


def test_a_leg_that_nobody_ordered_names_no_attempt() -> None:
    about = {"uuid": "a5bd7e2f-5f5b-4c43-9d2b-0d6f7e1a2b3c", "hangup_cause": "NO_ANSWER"}
    call = told(a_request(body={"variables": about, "callflow": []}))
    assert call.attempt is None


def test_only_a_connection_with_a_socket_and_a_gateway_places_calls() -> None:
    no_gateway = replace(PBX, settings={"esl_host": "pbx"})
    no_socket = replace(PBX, settings={"originate_gateway": "provider"})
    able = [KINDS["freeswitch"].originator(one) is not None for one in (PBX, no_gateway, no_socket)]
    assert able == [True, False, False]
