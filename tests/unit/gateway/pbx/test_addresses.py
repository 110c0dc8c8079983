"""A phone and a number are the same however they are spelled, in every kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pbx.kinds import KINDS
from gateway.pbx.mango.wire import notification_events
from gateway.pbx.reading.addresses import bare_number, phone_address
from routing.calls.fold import fold
from routing.calls.model import Call
from routing.staff import Employee, Staff
from tests.unit.gateway.pbx.builders import RECEIVED, a_connection, a_request

PUSHING = ("generic", "asterisk", "freeswitch", "kamailio")


@pytest.mark.parametrize(
    ("spelled", "address"),
    [
        ("101", "101"),
        ("101.0", "101"),
        ("sip:101@pbx", "101"),
        ("sip:101@10.0.0.1:5060;transport=tcp", "101"),
        ('"Anna" <sip:101@pbx>;tag=7', "101"),
        ("101@pbx.example", "101"),
        ("PJSIP/101", "101"),
        ("PJSIP/101-0000002a", "101"),
        ("SIP/101", "101"),
        ("SIP/100-101", "100-101"),
        ("sip/101-0000002a", "101"),
        ("Local/101@from-queue/n", "101"),
        ("Local/101@from-queue-0000002a;1", "101"),
        ("DAHDI/7-1", "7"),
        ("IAX2/office2/102", "102"),
        ("SIP/anna-0000002a", "anna"),
        ("sofia/internal/101@pbx", "101"),
        ("user/101@pbx", "101"),
        ("sip:anna@pbx.example:5070", "anna@pbx.example"),
        ("sips:anna@pbx.example", "anna@pbx.example"),
        ("sip:12345678@sip.example", "12345678@sip.example"),
        ("sip:+79161001256@10.0.0.1", "+79161001256"),
        ("sip:%2B79161001256@10.0.0.1", "+79161001256"),
        ("tel:+79161001256", "+79161001256"),
        ("79161001256.0", "79161001256"),
        ("Анна / отдел продаж", "Анна / отдел продаж"),
        ("Anna Smith", "Anna Smith"),
        (" ", None),
        (None, None),
    ],
)
def test_whose_phone_it_is(spelled: str | None, address: str | None) -> None:
    assert phone_address(spelled) == address


@pytest.mark.parametrize(
    ("spelled", "number"),
    [
        ("79161001256.0", "79161001256"),
        ("7.9161001256e+10", "79161001256"),
        ("7.9161E+10", "7.9161E+10"),  # digits were lost: nobody's number
        ("sip:79161007002@10.0.0.1", "79161007002"),
        ("8 (495) 123-45-67", "8 (495) 123-45-67"),
        ("+7 916 100-12-56 доб. 12", "+7 916 100-12-56 доб. 12"),
        ("PJSIP/79161001256@trunk", "79161001256"),
        ("sip:anna@pbx", "sip:anna@pbx"),
        ("8.495.123.45.67", "8.495.123.45.67"),
    ],
)
def test_a_number_without_what_stands_around_it(spelled: str, number: str) -> None:
    assert bare_number(spelled) == number


@given(st.text(max_size=40))
def test_any_text_has_an_address_or_none(text: str) -> None:
    assert phone_address(text) != ""
    assert isinstance(bare_number(text), str)


def call_of(kind: str, **fields: Any) -> Call:
    told = {"event": "invite" if kind == "kamailio" else "newCall", "callId": "c1", **fields}
    return fold(KINDS[kind].parse(a_request(body=told), a_connection(kind, lines=("+74950000001",))).events)


@pytest.mark.parametrize("kind", PUSHING)
@pytest.mark.parametrize(
    ("caller", "called", "told"),
    [
        ("sip:79161007002@10.0.0.1", "sip:74950000001@10.0.0.2", ("inbound", "79161007002", "74950000001")),
        ("sip:101@pbx", "sip:79161007002@10.0.0.1", ("outbound", "79161007002", None)),
        ("PJSIP/101-0000002a", "79161007002", ("outbound", "79161007002", None)),
        ("79161007002", "Local/101@from-queue/n", ("inbound", "79161007002", "101")),
        ("sip:101@pbx", "sip:102@pbx", ("internal", None, None)),
        ("sip:anonymous@anonymous.invalid", "74950000001", ("inbound", "anonymous", "74950000001")),
        (79161001256.0, "74950000001", ("inbound", "79161001256", "74950000001")),
        ("79161001256.0", 74950000001.0, ("inbound", "79161001256", "74950000001")),
    ],
)
def test_the_sides_are_told_apart_whatever_the_hosts(
    kind: str, caller: Any, called: Any, told: tuple[Any, ...]
) -> None:
    call = call_of(kind, **{"from": caller, "to": called})
    assert (call.direction, call.client, call.line) == told


ADDRESSES = ("sip:101@pbx", "PJSIP/101-0000002a", "SIP/101", "Local/101@from-queue/n", 101.0)


@pytest.mark.parametrize("kind", PUSHING)
@pytest.mark.parametrize("spelled", ADDRESSES)
@pytest.mark.parametrize("field", ["extension", "user", "answeringNumber"])
def test_who_answered_is_known_by_the_extension(kind: str, spelled: Any, field: str) -> None:
    call = call_of(kind, **{"event": "answer", "from": "79161007002", "to": "74950000001", field: spelled})
    assert call.answered_by == "101"


@pytest.mark.parametrize("spelled", ADDRESSES)
def test_ringostats_employee_is_known_by_the_extension(spelled: Any) -> None:
    hook = {"call_id": "1", "caller": "79161007002", "callee": "74950000001", "connected_with": spelled}
    parsed = KINDS["ringostat"].parse(
        a_request("after", body={**hook, "call_type": "in", "billsec": 5}), a_connection("ringostat")
    )
    assert fold(parsed.events).answered_by == "101"


def test_mangos_sip_account_is_known_by_its_login() -> None:
    told = {"entry_id": "e", "call_id": "c", "timestamp": 1795262400, "seq": 1, "call_state": "Connected"}
    sides = {"from": {"number": "79161007002"}, "to": {"number": "sip:user29@x.mangosip.ru"}}
    events = notification_events(
        "call", {**told, "location": "abonent", **sides}, RECEIVED, a_connection("mango")
    )
    assert fold(events).answered_by == "user29@x.mangosip.ru"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_question_about_a_number_that_was_a_float(kind: str) -> None:
    for body in ({"phone": 79000000007.0}, {"phone": "79000000007.0"}):
        asked = KINDS[kind].lookup_request(a_request(body=body), a_connection(kind))
        assert asked.phone == "79000000007"
    asked = KINDS[kind].lookup_request(a_request(query={"phone": "79000000007.0"}), a_connection(kind))
    assert asked.phone == "79000000007"


def test_a_sip_account_is_found_without_its_host_where_it_is_one_persons_only() -> None:
    anna, boris = (
        Employee(id="a", name="Anna", sip=("anna@pbx", "7@one")),
        Employee(id="b", name="B", sip=("7@two",)),
    )
    staff = Staff.of([anna, boris])
    assert (
        staff.employee_at("anna")
        == staff.employee_at("sip:anna@pbx")
        == staff.employee_at("ANNA@other")
        == anna
    )
    assert (staff.employee_at("7"), staff.employee_at("7@two")) == (None, boris)
