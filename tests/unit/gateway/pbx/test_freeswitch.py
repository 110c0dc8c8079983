"""FreeSWITCH: its dialplan question, its XML answer, its reports in all their encodings."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from gateway.pbx.freeswitch.adapter import FreeswitchKind
from gateway.pbx.port import Inbound, WireInvalid
from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import CallEvent, Disposition
from tests.unit.gateway.pbx.builders import a_case, a_connection, a_request, an_answer

KIND = FreeswitchKind()
PBX = a_connection("freeswitch", dialect="freeswitch")
CASE = a_case("freeswitch", "json_cdr")


def encodings(report: Any) -> list[Inbound]:
    text = json.dumps(report)
    packed = base64.b64encode(text.encode())
    return [
        a_request(body=report),
        a_request(form={"cdr": text}),
        a_request(form={"cdr": packed.decode()}),
        a_request(body=b"cdr=" + packed, headers={"Content-Type": "application/x-www-form-base64-encoded"}),
    ]


@pytest.mark.parametrize("n", range(4))
def test_a_report_says_the_same_in_every_encoding(n: int) -> None:
    told = [KIND.parse(request, PBX) for request in encodings(CASE["first_leg"])]
    assert told[n] == told[0]
    (summary,) = told[n].events
    assert (summary.call_key, summary.client, summary.line) == ("a-1", "+79001234567", "74951234567")
    assert (summary.party, summary.talk_seconds, summary.params) == ("101", 30, {"utm_source": "ya"})


def test_both_legs_make_one_call() -> None:
    events = [
        e for leg in ("first_leg", "second_leg") for e in KIND.parse(a_request(body=CASE[leg]), PBX).events
    ]
    call = fold(events)
    assert (call.disposition, call.answered_by, call.rung) == (Disposition.ANSWERED, "101", ("101",))
    assert (call.talk_seconds, call.wait_seconds) == (30, 10)


def test_a_menu_that_answers_is_nobody() -> None:
    call = fold(KIND.parse(a_request(body=CASE["menu_only"]), PBX).events)
    assert (call.is_over, call.is_answered, call.disposition) == (True, False, Disposition.NO_ANSWER)


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        ("USER_BUSY", "busy"),
        ("CALL_REJECTED", "rejected"),
        ("ORIGINATOR_CANCEL", "cancelled"),
        ("GATEWAY_DOWN", "failed"),
    ],
)
def test_hangup_causes(cause: str, disposition: str) -> None:
    report = json.loads(json.dumps(CASE["menu_only"]))
    report["variables"]["hangup_cause"] = cause
    assert fold(KIND.parse(a_request(body=report), PBX).events).disposition == disposition


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("variables", a_request(body={"variables": [1]})),
        ("variables.uuid", a_request(body={"variables": {"direction": "inbound"}})),
        ("cdr.variables", a_request(form={"cdr": "{}"})),
        ("cdr", a_request(form={"cdr": "!!"})),
        ("cdr", a_request(form={"cdr": "{"})),
        ("event", a_request(form={"hello": "1"})),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(field: str, request_: Inbound) -> None:
    with pytest.raises(WireInvalid) as refused:
        KIND.parse(request_, PBX)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [("start_epoch", "noon"), ("callmatrix_direction", "up"), ("hangup_cause", []), ("end_epoch", "-1")],
)
def test_a_wrong_variable_costs_itself_only(field: str, value: Any) -> None:
    report = json.loads(json.dumps(CASE["menu_only"]))
    whole = fold(KIND.parse(a_request(body=report), PBX).events)
    report["variables"][field] = value
    parsed = KIND.parse(a_request(body=report), PBX)
    call = fold(parsed.events)
    assert parsed.spoilt == (f"variables.{field}",)
    assert (call.call_key, call.client, call.direction) == (whole.call_key, whole.client, whole.direction)


def test_the_dialplan_question_is_read_and_other_sections_ask_about_nobody() -> None:
    asked = KIND.lookup_request(a_request(form=CASE["dialplan_question"]), PBX)
    assert (asked.phone, asked.did, asked.call_id) == ("+79001234567", "74951234567", "a-1")
    other = {**CASE["dialplan_question"], "section": "directory"}
    assert KIND.lookup_request(a_request(form=other), PBX).phone is None


def test_the_answer_bridges_to_the_targets_in_turn() -> None:
    settings = {"bridge": "user/{address}@pbx", "fallback": "reserve XML default", "context": 'a"b'}
    content_type, body = KIND.lookup_answer(
        an_answer("101", "1<2"), a_connection("freeswitch", dialect="freeswitch", settings=settings)
    )
    tree = ElementTree.fromstring(body)
    told = [(action.get("application"), action.get("data")) for action in tree.iter("action")]
    assert content_type == "text/xml"
    assert told[2:] == [
        ("bridge", "[leg_timeout=20]user/101@pbx"),
        ("bridge", "[leg_timeout=20]user/1<2@pbx"),
        ("transfer", "reserve XML default"),
    ]
    context = tree.find("section/context")
    assert context is not None
    assert context.get("name") == 'a"b'


def test_no_target_is_not_found_so_that_the_dialplan_goes_on() -> None:
    for format_ in (None, "xml"):
        tree = ElementTree.fromstring(KIND.lookup_answer(an_answer(), PBX, format_)[1])
        result = tree.find("section/result")
        assert result is not None
        assert result.get("status") == "not found"


def test_gateway_credentials_are_the_secret() -> None:
    credentials = base64.b64encode(b"gw:demo").decode()
    assert KIND.authenticate(a_request(headers={"Authorization": f"Basic {credentials}"}), PBX)


def test_what_the_phones_legs_tell_makes_the_call_where_the_first_legs_report_is_lost() -> None:
    """101 lost the race, 102 talked; both were shown the client's number."""
    times = {
        "101": ("1795640405", "0", "1795640410", "LOSE_RACE"),
        "102": ("1795640405", "1795640410", "1795640430", "NORMAL_CLEARING"),
    }
    events: list[CallEvent] = []
    for phone, (began, answered, ended, cause) in times.items():
        leg = {"uuid": f"b{phone}", "originator": "a-1", "direction": "outbound", "dialed_user": phone}
        told = {"start_epoch": began, "answer_epoch": answered, "end_epoch": ended, "hangup_cause": cause}
        profile = {"caller_id_number": "79001234567", "destination_number": phone}
        report = {"variables": {**leg, **told}, "callflow": [{"caller_profile": profile}]}
        events += KIND.parse(a_request(body=report), PBX).events
    call = fold(events)
    assert call.legs_gone_at is not None
    closed = close_lost(call, call.legs_gone_at)
    assert (closed.call_key, closed.direction, closed.client) == ("a-1", "inbound", "79001234567")
    assert (closed.answered_by, closed.talk_seconds, closed.is_end_lost) == ("102", 20, False)
