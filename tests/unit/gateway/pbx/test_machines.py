"""A mailbox, an announcement, a menu or a queue that picks up is nobody: the call is missed unless a person talked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gateway.admin.protection.setting_values import refuse_bad_values
from gateway.admin.refused import InputRefused
from gateway.pbx.asterisk.cdr import cdr_events
from gateway.pbx.asterisk.legs import Legs, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.connection_settings import COMMON_SETTINGS
from gateway.pbx.kinds import KINDS
from gateway.pbx.mango.reading import parse_calls
from gateway.pbx.mango.wire import notification_events
from gateway.pbx.reading.machines import is_machine
from routing.calls.fold import fold
from routing.calls.model import Call, CallEvent, Disposition
from tests.unit.gateway.pbx.ami_talk import START, Talk
from tests.unit.gateway.pbx.builders import RECEIVED, a_case, a_connection, a_request

OWN = {"machines": "Зина, 199, *97"}
PUSHING = ("generic", "asterisk", "freeswitch", "kamailio")
NAMES = ("voicemail", "Voicemail 101", "IVR", "голосовая почта", "Зина", "199", "SIP/199-0000002a")


@pytest.mark.parametrize("name", [*NAMES, "*97", "Mailbox", "voice_mail", "Announcement", "queue"])
def test_machines_are_known_by_the_usual_names_and_by_the_admins_own(name: str) -> None:
    assert is_machine(name, a_connection(settings=OWN))
    assert is_machine(name, a_connection(settings={"machines": ["Зина", "199", "*97"]}))


@pytest.mark.parametrize("name", ["101", "97", "Анна", "Зинаида", "Ivrea", "1990", "+79161001256", "", None])
def test_people_are_no_machines(name: str | None) -> None:
    assert not is_machine(name, a_connection(settings=OWN))


def test_the_list_is_checked() -> None:
    refuse_bad_values(OWN, COMMON_SETTINGS)
    refuse_bad_values({"machines": ["199"]}, COMMON_SETTINGS)
    for wrong in (199, [199], {"a": 1}):
        with pytest.raises(InputRefused):
            refuse_bad_values({"machines": wrong}, COMMON_SETTINGS)


def told_by(kind: str, *messages: Mapping[str, Any]) -> Call:
    events: list[CallEvent] = []
    for fields in messages:
        told = {"callId": "c1", "from": "79161007002", "to": "74951234567", **fields}
        if kind != "kamailio":
            told["direction"] = "in"
        events += KINDS[kind].parse(a_request(body=told), a_connection(kind, settings=OWN)).events
    return fold(events)


@pytest.mark.parametrize("kind", PUSHING)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["user", "extension", "answeringNumber"])
def test_what_a_machine_answers_is_a_missed_call(kind: str, name: str, field: str) -> None:
    begins = {"event": "newCall", "user": ["Анна", name]}
    ends = {"event": "hangup", "cause": "normalClearing", "billsec": 14, field: name}
    call = told_by(kind, begins, {"event": "answer", field: name}, ends)
    assert (call.is_over, call.disposition, call.talks) == (True, Disposition.NO_ANSWER, ())
    assert call.rung == ("Анна",)


@pytest.mark.parametrize("kind", PUSHING)
def test_a_person_who_talked_before_or_after_the_machine_is_not_forgotten(kind: str) -> None:
    person = {"event": "answer", "extension": "101"}
    machine = {"event": "answer", "extension": "199"}
    ends = {"event": "hangup", "extension": "199", "cause": "answered", "billsec": 14}
    for messages in ((person, machine, ends), (machine, person, ends)):
        call = told_by(kind, {"event": "newCall"}, *messages)
        assert (call.disposition, call.answered_by) == (Disposition.ANSWERED, "101")


def test_a_busy_phone_behind_which_a_mailbox_stands_is_busy() -> None:
    ends = {"event": "hangup", "cause": "busy", "answeringNumber": "voicemail"}
    assert told_by("generic", {"event": "newCall"}, ends).disposition is Disposition.BUSY


def test_sipgates_queue_that_picks_up_is_nobody_and_an_answer_without_a_name_is_somebody() -> None:
    ends = {"event": "hangup", "cause": "normalClearing"}
    queue = {"event": "answer", "user": "", "answeringNumber": ""}
    assert not told_by("generic", {"event": "newCall"}, queue, ends).is_answered
    assert told_by("generic", {"event": "newCall"}, {"event": "answer"}, ends).is_answered
    agent = {"event": "answer", "user": "Анна", "answeringNumber": "101"}
    assert told_by("generic", {"event": "newCall"}, queue, agent, ends).answered_by == "101"


def test_sipgates_forwarded_call_is_one_call_and_its_mailbox_is_nobody() -> None:
    first, second = {"callId": "c1", "origCallId": "c1"}, {"callId": "c2", "origCallId": "c1"}
    messages = (
        {"event": "newCall", "user": ["Анна"], **first},
        {"event": "newCall", "user": ["voicemail"], **second},
        {"event": "hangup", "cause": "forwarded", **first},
        {"event": "answer", "user": "voicemail", "answeringNumber": "4921199", **second},
    )
    call = told_by("generic", *messages)
    assert (call.call_key, call.is_over, call.is_answered, call.rung) == ("c1", False, False, ("Анна",))
    call = told_by(
        "generic", *messages, {"event": "hangup", "cause": "normalClearing", "user": "voicemail", **second}
    )
    assert (call.is_over, call.disposition) == (True, Disposition.NO_ANSWER)


def test_ringostats_robot_is_nobody() -> None:
    hook = {"call_id": "1", "caller": "380671112233", "callee": "380441112233", "call_type": "in"}
    end = {**hook, "disposition": "ANSWERED", "billsec": 9, "connected_with": "199"}
    pbx = a_connection("ringostat", settings=OWN)
    events = [
        event
        for path, told in (("before", hook), ("answer", {**hook, "employee": "Зина"}), ("after", end))
        for event in KINDS["ringostat"].parse(a_request(path, body=told), pbx).events
    ]
    assert (fold(events).is_over, fold(events).disposition) == (True, Disposition.NO_ANSWER)


def mango_call(extension: str) -> Call:
    told, pbx = a_case("mango", "notifications"), a_connection("mango", settings={"machines": "29"})
    events: list[CallEvent] = []
    for path, name in (
        ("call", "appeared"),
        ("call", "rings"),
        ("call", "connected"),
        ("call", "hung_up"),
        ("summary", "summary"),
    ):
        fields = json.loads(json.dumps(told[name]).replace('"29"', f'"{extension}"'))
        events += notification_events(path, fields, RECEIVED, pbx)
    return fold(events)


def test_mangos_robot_is_nobody() -> None:
    assert mango_call("30").answered_by == "30"
    robot = mango_call("29")
    assert (robot.is_over, robot.is_answered, robot.rung) == (True, False, ())


def test_mangos_statistics_know_it_too() -> None:
    body = json.dumps(a_case("mango", "statistics")).encode()
    for machines, is_answered in (("29", False), ("30", True)):
        answer = parse_calls(200, body, a_connection("mango", settings={"machines": machines}))
        call = fold(e for e in answer.events if e.call_key == "MTIzNDU2")
        assert call.is_answered is is_answered


def test_freeswitchs_mailbox_behind_a_phone_is_nobody() -> None:
    case = a_case("freeswitch", "json_cdr")
    for machines, is_answered in (("101", False), ("102", True)):
        pbx = a_connection("freeswitch", settings={"machines": machines})
        events = [
            event
            for name in ("first_leg", "second_leg")
            for event in KINDS["freeswitch"].parse(a_request(body=case[name]), pbx).events
        ]
        assert (fold(events).is_over, fold(events).is_answered) == (True, is_answered)


def heard(messages: list[AmiMessage], pbx: Connection) -> Call:
    state, events = Legs(), list[CallEvent]()
    for told in messages:
        state, happened = step(state, told, RECEIVED, pbx)
        events += happened
    return fold([*events, *sweep(state, START + timedelta(hours=1))[1]])


def test_asterisks_robot_that_is_dialled_is_nobody_and_a_person_behind_it_is_one() -> None:
    pbx = a_connection("asterisk", settings={**OWN, "trunks": "trunk"})
    talk = Talk("c1")
    to_robot = [
        talk.came_in(0, "79161007002", "74951234567"),
        *talk.rings(1, "c1", "ch02", "199"),
        *talk.answers(2, "c1", "ch02"),
    ]
    call = heard([*to_robot, *talk.parts(20, "c1", "ch02")], pbx)
    assert (call.is_over, call.disposition, call.rung) == (True, Disposition.NO_ANSWER, ())
    to_person = [
        *talk.leave(20, "bch02", "c1", "ch02"),
        talk.hangup(20, "ch02"),
        *talk.rings(21, "c1", "ch03", "101"),
        *talk.answers(25, "c1", "ch03"),
        *talk.parts(35, "c1", "ch03"),
    ]
    call = heard([*to_robot, *to_person], pbx)
    assert (call.answered_by, call.talk_seconds) == ("101", 10)


def test_asterisks_records_know_it_too() -> None:
    talk = Talk("c1")
    record = talk.cdr(
        30,
        Channel="PJSIP/trunk-00000001",
        DestinationChannel="PJSIP/199-00000002",
        Source="79161007002",
        Destination="74951234567",
        LastApplication="Dial",
        LastData="PJSIP/199,20",
        Disposition="ANSWERED",
        StartTime="2026-11-21 12:00:00",
        AnswerTime="2026-11-21 12:00:05",
        EndTime="2026-11-21 12:00:30",
        BillableSeconds="25",
    )
    for settings, is_answered in ((OWN, False), ({}, True)):
        pbx = a_connection("asterisk", settings={**settings, "trunks": "trunk"})
        assert fold(cdr_events(record, pbx)).is_answered is is_answered
