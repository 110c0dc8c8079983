"""MANGO: signatures, notifications, commands and what it answers when it is asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from gateway.pbx.mango.adapter import MangoKind
from gateway.pbx.mango.commands import calls_request, route_command, users_request
from gateway.pbx.mango.links import recording_link
from gateway.pbx.mango.reading import parse_calls, parse_key, parse_users
from gateway.pbx.mango.routing import destination
from gateway.pbx.mango.wire import disposition_of, number_word_of, parse_result
from gateway.pbx.port import Inbound, WireInvalid
from routing.calls.fold import fold
from routing.calls.model import Call, Disposition
from runtime.vendors.mango_signing import signed_form
from tests.unit.gateway.pbx.builders import FORM, a_case, a_connection, a_request

KIND = MangoKind()
PBX = a_connection("mango", keys={"api_key": "key", "api_salt": "salt"})
CASE = a_case("mango", "notifications")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def a_notification(payload: Any, path: str = "call", *, key: str = "key", salt: str = "salt") -> Inbound:
    return a_request(path, body=signed_form(key, salt, payload), headers={"Content-Type": FORM})


def call_of(*names: str) -> Call:
    paths = {
        "summary": "summary",
        "summary_of_menu": "summary",
        "recording": "recording",
        "record_added": "record/added",
        "dtmf": "dtmf",
    }
    requests = [a_notification(CASE[name], paths.get(name, "call")) for name in names]
    return fold([event for request in requests for event in KIND.parse(request, PBX).events])


def test_the_signature_is_over_the_exact_text_whatever_its_spaces() -> None:
    text = '{ "entry_id":"x",  "n": 1.0 }'
    sign = hashlib.sha256(f"key{text}salt".encode()).hexdigest()
    body = urlencode({"vpbx_api_key": "key", "sign": sign, "json": text}).encode()
    assert KIND.authenticate(a_request("call", body=body), PBX)
    assert not KIND.authenticate(a_request("call", body=body.replace(b"1.0", b"1")), PBX)


def test_a_signature_that_was_overheard_asks_no_lookup() -> None:
    signed = a_notification(CASE["appeared"], "lookup")
    assert KIND.authenticate_head(signed, PBX) is False
    with_token = replace(signed, query={"token": "demo"})
    assert KIND.authenticate_head(with_token, PBX) is True


def test_a_wrong_key_a_wrong_salt_and_a_connection_without_them_are_refused() -> None:
    payload = CASE["appeared"]
    assert KIND.authenticate(a_notification(payload), PBX)
    assert not KIND.authenticate(a_notification(payload, salt="guess"), PBX)
    assert not KIND.authenticate(a_notification(payload, key="other"), PBX)
    assert not KIND.authenticate(a_notification(payload, key="", salt=""), a_connection("mango"))
    assert not KIND.authenticate(a_request("call", body=b"vpbx_api_key=key&sign=x"), PBX)


def test_a_lookup_or_an_unsigned_ping_comes_with_the_token() -> None:
    assert KIND.authenticate(a_request("ping", query={"token": "demo"}), PBX)
    assert not KIND.authenticate(a_request("ping"), PBX)
    assert KIND.parse(a_request("ping", query={"token": "demo"}), PBX).events == ()


@pytest.mark.parametrize("path", ["call", "events/call", "vpbx/events/call", "call/"])
def test_the_path_may_have_the_vendors_prefixes(path: str) -> None:
    parsed = KIND.parse(a_notification(CASE["appeared"], path), PBX)
    assert parsed.events == KIND.parse(a_notification(CASE["appeared"]), PBX).events
    assert parsed.canonical == KIND.parse(a_notification(CASE["appeared"]), PBX).canonical


def test_the_documented_scenario_is_one_answered_call() -> None:
    call = call_of("appeared", "left_menu", "rings", "connected", "on_hold", "hung_up", "summary")
    assert (call.call_key, call.client, call.line) == ("MTIzNDU2", "79001234567", "74951234567")
    assert (call.answered_by, call.talk_seconds, call.wait_seconds) == ("29", 30, 10)
    assert (call.direction, call.disposition, len(call.talks)) == ("inbound", Disposition.ANSWERED, 1)
    assert call.params["command_id"] == "c-1"


def test_the_report_alone_is_the_whole_call() -> None:
    call = call_of("summary")
    assert (call.client, call.answered_by, call.talk_seconds, call.started_at) == (
        "79001234567",
        "29",
        30,
        NOON,
    )


def test_a_menu_that_talked_is_nobody_in_spite_of_entry_result_1() -> None:
    call = call_of("appeared", "left_menu", "summary_of_menu")
    assert (call.is_answered, call.disposition, call.is_over) == (False, Disposition.NO_ANSWER, True)


def test_a_call_that_is_only_in_the_menu_or_queue_is_ringing() -> None:
    assert call_of("appeared", "dtmf").disposition is Disposition.RINGING


def test_both_notifications_of_a_recording_give_the_same_link() -> None:
    call = call_of("summary", "recording", "record_added")
    assert len(call.recordings) == 1
    expected = hashlib.sha256(b"key4102444800MToxMDAwsalt").hexdigest()
    assert call.recording == (
        "https://app.mango-office.ru/vpbx/queries/recording/link/MToxMDAw/play/key/4102444800/" + expected
    )
    assert recording_link("r", a_connection("mango")) == "r"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("call_id", {"call_id": {}}),
        ("call_state", {"call_state": "Exploded"}),
        ("location", {"location": "moon"}),
        ("timestamp", {"timestamp": "noon"}),
        ("seq", {"seq": "-1"}),
        ("from", {"from": "79001234567"}),
        ("to.extension", {"to": {"extension": {}}}),
    ],
)
def test_what_is_wrong_costs_itself_only(field: str, changes: dict[str, Any]) -> None:
    parsed = KIND.parse(a_notification({**CASE["rings"], **changes}), PBX)
    assert parsed.spoilt == (field,)
    assert parsed.events[0].call_key == CASE["rings"]["entry_id"]
    assert parsed.events[0].direction == "inbound"
    if field != "from":
        assert parsed.events[0].client == CASE["rings"]["from"]["number"]


def test_without_an_id_nothing_can_be_kept() -> None:
    with pytest.raises(WireInvalid, match="entry_id"):
        KIND.parse(a_notification({**CASE["rings"], "entry_id": None}), PBX)


@pytest.mark.parametrize(
    ("field", "changes"), [("call_direction", {"call_direction": 3}), ("talk_time", {"talk_time": ""})]
)
def test_a_report_without_what_counts_still_ends_the_call(field: str, changes: dict[str, Any]) -> None:
    parsed = KIND.parse(a_notification({**CASE["summary"], **changes}, "summary"), PBX)
    call = fold(parsed.events)
    assert parsed.spoilt == ((field,) if changes[field] else ())
    assert (call.is_over, call.direction, call.client) == (True, "inbound", CASE["summary"]["from"]["number"])


def test_an_unknown_notification_and_a_body_that_is_no_form_are_refused() -> None:
    with pytest.raises(WireInvalid, match="path"):
        KIND.parse(a_notification({}, "teleport"), PBX)
    with pytest.raises(WireInvalid, match="json"):
        KIND.parse(a_request("call", body=b"vpbx_api_key=key&sign=x&json="), PBX)
    with pytest.raises(WireInvalid, match="json"):
        KIND.parse(
            a_request("call", body=urlencode({"vpbx_api_key": "k", "sign": "s", "json": "[]"}).encode()), PBX
        )


@pytest.mark.parametrize(
    ("reason", "disposition"),
    [
        (1100, None),
        (1111, "no_answer"),
        (1121, "busy"),
        (1122, "rejected"),
        (1133, "failed"),
        (1135, "failed"),
        (1191, "no_answer"),
        (None, None),
        (7777, None),
    ],
)
def test_disconnect_reasons_unknown_ones_by_their_class(reason: int | None, disposition: str | None) -> None:
    assert disposition_of(reason) == disposition


def test_results_of_commands_are_read_and_mean_no_call_event() -> None:
    for path in ("result/route", "vpbx/result/route"):
        assert KIND.parse(a_notification(CASE["result"], path), PBX).events == ()
    result = parse_result("route", json.dumps(CASE["result"]))
    assert (result.command_id, result.is_done) == ("c-1", True)
    assert not parse_result("route", '{"command_id":"c","result":"3310"}').is_done
    assert parse_result("route", '{"command_id":"c","result":1008}').is_done  # unknown code: its class counts


def test_the_routing_command_is_a_signed_form() -> None:
    form = parse_qs(route_command("QQ", "29", "c-1", "Ivan, VIP").body(PBX).decode())
    payload = json.loads(form["json"][0])
    assert payload == {
        "command_id": "c-1",
        "call_id": "QQ",
        "to_number": "29",
        "sip_headers": {"From/display-name": "Ivan, VIP"},
    }
    assert form["sign"][0] == hashlib.sha256(f"key{form['json'][0]}salt".encode()).hexdigest()
    with pytest.raises(WireInvalid, match="command_id"):
        route_command("QQ", "29", "x" * 129)
    with pytest.raises(WireInvalid, match="api_key"):
        users_request().body(a_connection("mango"))


def test_statistics_become_reports_and_a_bad_one_spoils_no_other() -> None:
    body = json.dumps(a_case("mango", "statistics")).encode()
    answer = parse_calls(200, body, PBX)
    assert (answer.is_complete, answer.calls, len(answer.refused)) == (True, 3, 1)
    assert "context_type" in answer.refused[0]
    found = {key: fold([e for e in answer.events if e.call_key == key]) for key in ("MTIzNDU2", "b2")}
    seen = call_of("appeared", "left_menu", "rings", "connected", "hung_up", "summary", "record_added")
    read = found["MTIzNDU2"]
    for name in (
        "client",
        "line",
        "direction",
        "disposition",
        "talks",
        "talk_seconds",
        "started_at",
        "ended_at",
        "recording",
    ):
        assert getattr(read, name) == getattr(seen, name), name
    assert (found["b2"].direction, found["b2"].client, found["b2"].started_at) == (
        "outbound",
        "79007654321",
        NOON,
    )


def test_statistics_that_are_not_ready_are_asked_for_again() -> None:
    assert parse_calls(204, b"", PBX).is_pending
    assert parse_calls(200, b'{"result":1000,"status":"work"}', PBX).is_pending
    assert parse_calls(404, b"{}", PBX).status == "not-found"
    assert parse_key(b'{"key":"k1"}') == "k1"
    for body in (b"<html>", b'{"status":"dancing"}', b'{"status":"complete","data":{}}'):
        with pytest.raises(WireInvalid):
            parse_calls(200, body, PBX)


def test_statistics_are_asked_for_in_the_vendors_words() -> None:
    command = calls_request(NOON - timedelta(days=1), NOON, offset=5000)
    assert (command.path, command.payload["start_date"]) == ("stats/calls/request", "20.11.2026 12:00:00")
    assert command.payload["offset"] == "5000"
    with pytest.raises(WireInvalid, match="limit"):
        calls_request(NOON, NOON, limit=3)


def test_employees_are_read_with_all_their_numbers() -> None:
    anna, robot = parse_users(json.dumps(a_case("mango", "users")).encode())
    assert (anna.name, anna.email, anna.user_id, anna.extension) == ("Anna", "anna@example.com", "7", "29")
    assert (anna.numbers, anna.sips) == (("79001112233",), ("user29@x.mangosip.ru",))
    assert (robot.email, robot.extension, robot.numbers) == (None, None, ())
    with pytest.raises(WireInvalid, match="general"):
        parse_users(b'{"users":[{"telephony":{}}]}')


def a_leg(call_id: str, seq: int, second: int, state: str, extension: str, **more: Any) -> Inbound:
    told = {"entry_id": "e1", "call_id": call_id, "seq": seq, "timestamp": int(NOON.timestamp()) + second}
    sides = {
        "from": {"number": "79001234567"},
        "to": {"extension": extension, "line_number": "74951234567"},
    }
    return a_notification({**told, "call_state": state, "location": "abonent", **sides, **more})


def test_a_transferred_call_was_answered_when_its_first_talk_began() -> None:
    """The report tells how long was talked, not when: 20 s before and 5 s after a colleague's phone rang for 30 s."""
    at = int(NOON.timestamp())
    report = {
        "entry_id": "e1",
        "call_direction": 1,
        "from": {"number": "79001234567"},
        "to": {"extension": "102"},
        "create_time": at,
        "talk_time": 25,
        "end_time": at + 60,
        "disconnect_reason": 1110,
    }
    requests = [
        a_leg("a", 1, 0, "Appeared", "101"),
        a_leg("a", 2, 5, "Connected", "101"),
        a_leg("a", 3, 25, "Disconnected", "101", disconnect_reason=1100),
        a_leg("b", 1, 25, "Appeared", "102", transfer="blind"),
        a_leg("b", 2, 55, "Connected", "102", transfer="blind"),
        a_notification(report, "summary"),
    ]
    call = fold([event for request in requests for event in KIND.parse(request, PBX).events])
    talks = [
        (t.party, (t.started_at - NOON).seconds, (t.ended_at - NOON).seconds)
        for t in call.talks
        if t.ended_at
    ]
    assert talks == [("101", 5, 25), ("102", 55, 60)]
    assert (call.wait_seconds, call.talk_seconds) == (5, 25)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (1133, "no_such_number"),
        (1310, "machine"),
        (1314, "machine"),
        (1131, None),
        (1121, None),
        (None, None),
    ],
)
def test_what_a_reason_says_of_the_number(reason: int | None, word: str | None) -> None:
    assert number_word_of(reason) == word


@pytest.mark.parametrize("name", ["result/route", "result/callback", "vpbx/result/callback_group"])
def test_the_result_of_a_command_is_kept_under_its_id(name: str) -> None:
    router = KIND.router()
    result = router.result(a_notification({"command_id": "c1", "result": 2240}, name))
    assert result is not None
    assert (result.command_id, result.code, result.is_done) == ("c1", 2240, False)
    assert router.result(a_notification({"command_id": "c1", "result": 2240}, "result/sms")) is None


def test_a_running_campaigns_client_is_shown_with_it() -> None:
    told = {"targets": [{"kind": "extension", "address": "101"}], "entity": {"name": "Olga"}}
    campaign = {"name": "Spring", "client": "Mrs Olga", "id": "c1", "client_id": ""}
    shows = replace(PBX, settings={"shows_client_name": True})
    assert destination(told, shows) == ("101", "Olga")
    assert destination({**told, "campaign": campaign}, shows) == ("101", "Olga · Spring")
    assert destination({**told, "entity": None, "campaign": campaign}, shows) == ("101", "Mrs Olga · Spring")
    assert destination({**told, "campaign": campaign}, PBX) == ("101", None)
