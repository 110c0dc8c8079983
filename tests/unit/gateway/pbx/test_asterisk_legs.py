"""AMI events turned into calls, on recorded streams and on the shapes that calls take."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.pbx.asterisk.legs import Legs, resumed, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage, AmiReader
from gateway.pbx.connection import Connection
from routing.calls.fold import fold
from routing.calls.model import Call, CallEvent, Disposition, EventKind
from tests.unit.gateway.pbx.ami_talk import START, Talk
from tests.unit.gateway.pbx.builders import CASES, RECEIVED, a_connection

LINE = "74951234567"
PBX = a_connection("asterisk", lines=("+74951234567", "700"), settings={"trunks": ["trunk"]})


def run(messages: list[AmiMessage], connection: Connection = PBX) -> tuple[Legs, list[CallEvent]]:
    state = Legs()
    events: list[CallEvent] = []
    for told in messages:
        state, happened = step(state, told, RECEIVED, connection)
        events += happened
    return state, events


def calls(messages: list[AmiMessage], connection: Connection = PBX) -> dict[str, Call]:
    """The calls after the stream and the sweep that follows it."""
    state, events = run(messages, connection)
    _, swept = sweep(state, START + timedelta(hours=1))
    told = [*events, *swept]
    return {
        key: fold([e for e in told if e.call_key == key]) for key in dict.fromkeys(e.call_key for e in told)
    }


def recorded(name: str) -> list[AmiMessage]:
    return AmiReader().feed((CASES / "asterisk" / f"{name}.txt").read_bytes())


def answered(key: str = "c1", seconds: float = 30) -> list[AmiMessage]:
    talk = Talk(key)
    return [
        talk.came_in(0, "79001234567", LINE),
        *talk.rings(1, key, "ch02", "101"),
        *talk.answers(5, key, "ch02"),
        *talk.parts(5 + seconds, key, "ch02"),
    ]


def test_the_recorded_answered_call_knows_the_dialled_number_in_spite_of_the_goto() -> None:
    (call,) = calls(recorded("answered")).values()
    assert (call.direction, call.client, call.line) == ("inbound", "79001234567", "700")
    assert (call.disposition, call.answered_by, call.is_over) == (Disposition.ANSWERED, "manager", True)


def test_the_recorded_call_of_ours_that_only_met_a_menu_is_an_unanswered_callback() -> None:
    (call,) = calls(recorded("originated")).values()
    assert (call.call_key, call.direction, call.is_callback) == ("gw-call-1", "outbound", True)
    assert (call.disposition, call.client) == (Disposition.NO_ANSWER, "79990001122")


def test_recorded_cdrs_of_calls_that_nobody_watched_are_reports_of_them() -> None:
    found = calls(recorded("cdr"))
    assert len(found) == 6
    assert found["gwtest-1795283122.6"].answered_by == "form-manager"
    assert not found["ari-1"].is_answered  # the last thing done was to wait: a menu picked up


def test_an_answered_call_is_over_when_its_last_channel_has_gone() -> None:
    state, events = run(answered())
    assert [e.kind for e in events] == [
        EventKind.STARTED,
        EventKind.RANG,
        EventKind.ANSWERED,
        EventKind.LEG_ENDED,
        EventKind.LEG_ENDED,
        EventKind.ENDED,
    ]
    assert state.calls == {}
    call = fold(events)
    assert (call.answered_by, call.talk_seconds, call.rung) == ("101", 30, ("101",))


@pytest.mark.parametrize("lost", range(len(answered())))
def test_any_single_message_may_be_lost(lost: int) -> None:
    messages = answered()
    del messages[lost]
    call = calls(messages)["c1"]
    assert (call.direction, call.client, call.line) == ("inbound", "79001234567", LINE)
    assert (call.disposition, call.answered_by, call.talk_seconds) == (Disposition.ANSWERED, "101", 30)
    assert call.is_over


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        ("NOANSWER", Disposition.NO_ANSWER),
        ("BUSY", Disposition.BUSY),
        ("CANCEL", Disposition.CANCELLED),
        ("CHANUNAVAIL", Disposition.FAILED),
    ],
)
def test_how_a_call_came_out_is_how_its_only_phone_did(status: str, disposition: Disposition) -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE), *talk.rings(1, "c1", "ch02", "101")]
    messages += [talk.dial_end(20, "c1", "ch02", status), talk.hangup(20, "ch02"), talk.hangup(21, "c1")]
    assert calls(messages)["c1"].disposition is disposition


def test_ring_all_through_local_channels_is_one_missed_call() -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE)]
    for n in (1, 2):
        messages.append(talk.new(1, f"l{n}", f"Local/10{n}@queue-0000000{n};1"))
        messages.append(talk.new(1, f"m{n}", f"Local/10{n}@queue-0000000{n};2"))
        messages.append(talk.dial(1, "DialBegin", "c1", f"l{n}", DialString=f"10{n}@queue"))
        messages += talk.rings(1, f"m{n}", f"p{n}0", f"10{n}")
    for n in (1, 2):
        messages += [
            talk.dial_end(20, f"m{n}", f"p{n}0", "NOANSWER"),
            talk.dial_end(20, "c1", f"l{n}", "NOANSWER"),
        ]
        messages += [talk.hangup(20, uid) for uid in (f"p{n}0", f"m{n}", f"l{n}")]
    messages.append(talk.hangup(21, "c1"))
    found = calls(messages)
    assert list(found) == ["c1"]
    assert (found["c1"].disposition, found["c1"].rung) == (Disposition.NO_ANSWER, ("101", "102"))


def test_the_one_of_the_group_who_takes_it_is_who_answered() -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE)]
    messages += [*talk.rings(1, "c1", "ch02", "101"), *talk.rings(1, "c1", "ch03", "102")]
    messages += [
        *talk.answers(5, "c1", "ch03"),
        talk.dial_end(5, "c1", "ch02", "CANCEL"),
        talk.hangup(5, "ch02"),
    ]
    messages += talk.parts(35, "c1", "ch03")
    call = calls(messages)["c1"]
    assert (call.disposition, [t.party for t in call.talks]) == (Disposition.ANSWERED, ["102"])


def test_a_voice_menu_that_answers_is_nobody() -> None:
    talk = Talk("c1")
    assert not calls([talk.came_in(0, "79001234567", LINE), talk.hangup(40, "c1")])["c1"].is_answered


def test_a_blind_transfer_keeps_one_call_with_two_talkers() -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE), *talk.rings(1, "c1", "ch02", "101")]
    messages += [
        *talk.answers(5, "c1", "ch02"),
        *talk.leave(20, "bch02", "c1", "ch02"),
        talk.hangup(20, "ch02"),
    ]
    messages += [
        *talk.rings(20, "c1", "ch03", "102"),
        *talk.answers(25, "c1", "ch03"),
        *talk.parts(60, "c1", "ch03"),
    ]
    found = calls(messages)
    told = [(t.party, (t.started_at - START).seconds) for t in found["c1"].talks]
    assert (list(found), told, found["c1"].talk_seconds) == (["c1"], [("101", 5), ("102", 25)], 15 + 35)


def test_an_attended_transfer_moves_the_second_phone_into_the_clients_call() -> None:
    talk, asking = Talk("c1"), Talk("c2")
    messages = [
        talk.came_in(0, "79001234567", LINE),
        *talk.rings(1, "c1", "ch02", "101"),
        *talk.answers(5, "c1", "ch02"),
    ]
    messages += [
        asking.came_in(15, "101", "102", "PJSIP/101-00000009"),
        *asking.rings(15, "c2", "ch05", "102"),
    ]
    messages += asking.answers(18, "c2", "ch05")
    asking.linked["ch05"] = "c1"
    messages += [*talk.leave(25, "bch02", "ch02"), *asking.enter(25, "bch02", "ch05")]
    messages += [talk.hangup(25, "ch02"), asking.hangup(25, "c2"), *talk.leave(60, "bch02", "c1")]
    messages += [asking.hangup(60, "ch05"), talk.hangup(60, "c1")]
    found = calls(messages)
    assert [t.party for t in found["c1"].talks] == ["101", "102"]
    assert (found["c1"].is_over, found["c1"].talk_seconds, found["c1"].client) == (True, 55, "79001234567")
    assert (found["c2"].direction, found["c2"].client, found["c2"].is_over) == ("internal", None, True)


def test_an_outbound_call_is_answered_by_the_client_and_talked_by_the_employee() -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "101", "89001234567", "PJSIP/101-00000001")]
    messages += [*talk.rings(1, "c1", "ch02", "89001234567@trunk"), *talk.answers(7, "c1", "ch02")]
    call = calls([*messages, *talk.parts(27, "c1", "ch02")])["c1"]
    assert (call.direction, call.client, call.answered_by) == ("outbound", "89001234567", "101")
    assert (call.rung, call.talk_seconds) == ((), 20)


def test_our_own_originated_call_is_answered_when_the_second_side_is() -> None:
    talk = Talk("c1")
    messages = [
        talk.new(0, "c1", "PJSIP/101-00000001"),
        talk.dial(0, "DialBegin", None, "c1", DialString="101"),
    ]
    messages.append(talk.dial_end(4, None, "c1", "ANSWER"))
    before = calls(messages)["c1"]
    assert (before.is_answered, before.is_callback, before.direction) == (False, True, "outbound")
    messages += [*talk.rings(5, "c1", "ch02", "79001234567@trunk"), *talk.answers(9, "c1", "ch02")]
    call = calls([*messages, *talk.parts(29, "c1", "ch02")])["c1"]
    assert (call.client, call.answered_by, call.talk_seconds) == ("79001234567", "101", 20)


def test_what_our_dialplan_tells_counts_before_what_the_channel_tells() -> None:
    talk = Talk("c1")
    messages = [
        talk.came_in(0, "79001234567", "s"),
        talk.user_event(1, Did=LINE, Client="+79007654321", utm_source="ya"),
    ]
    call = calls([*messages, talk.hangup(9, "c1")])["c1"]
    assert (call.line, call.client, call.params) == (LINE, "+79007654321", {"utm_source": "ya"})


def test_a_withheld_number_is_an_anonymous_client() -> None:
    talk = Talk("c1")
    call = calls([talk.came_in(0, "<unknown>", LINE), talk.hangup(9, "c1")])["c1"]
    assert (call.direction, call.client, call.line) == ("inbound", "anonymous", LINE)


def test_a_hangup_of_a_call_that_began_before_we_listened_ends_it() -> None:
    talk = Talk("c1")
    talk.came_in(0, "79001234567", LINE)
    _, events = run([talk.hangup(9, "c1")])
    assert [(e.kind, e.call_key) for e in events] == [(EventKind.ENDED, "c1")]


def test_late_cdrs_and_hangups_of_an_ended_call_are_nothing_new() -> None:
    talk = Talk("c1")
    talk.came_in(0, "79001234567", LINE)
    cdr = {
        "Disposition": "ANSWERED",
        "EndTime": "2026-11-21 12:00:35",
        "Source": "79001234567",
        "Channel": "PJSIP/t-1",
    }
    late = [talk.cdr(36, **cdr), talk.cdr(36, **{**cdr, "UniqueID": "ch02"}), talk.hangup(36, "c1")]
    _, events = run([*answered(), *late])
    assert events == run(answered())[1]


def test_a_call_in_a_voice_menu_is_not_swept_away() -> None:
    talk = Talk("c1")
    state, _ = run([talk.came_in(0, "79001234567", LINE)])
    state, events = sweep(state, START + timedelta(minutes=20))
    assert (list(state.calls), events) == (["c1"], ())
    assert sweep(state, START + timedelta(hours=13))[0].calls == {}


def test_after_being_away_the_list_of_channels_ends_what_is_not_on_it_and_finds_what_is_new() -> None:
    talk = Talk("c1")
    state, _ = run([talk.came_in(0, "79001234567", LINE), *talk.rings(1, "c1", "ch02", "101")])
    other = Talk("c9")
    found = other.came_in(50, "79007654321", LINE)
    listing = AmiMessage((("Event", "CoreShowChannel"), ("Duration", "00:00:40"), *found.fields[1:]))
    done = AmiMessage((("Event", "CoreShowChannelsComplete"),))
    events: list[CallEvent] = []
    for told in (listing, done):
        state, happened = step(state, told, RECEIVED + timedelta(minutes=1), PBX)
        events += happened
    assert {(e.call_key, e.kind) for e in events} >= {("c9", EventKind.STARTED), ("c1", EventKind.ENDED)}
    assert list(state.calls) == ["c9"]
    assert fold([e for e in events if e.call_key == "c9"]).started_at == START + timedelta(seconds=10)


def test_the_state_that_goes_in_is_not_changed() -> None:
    state = Legs()
    for told in answered():
        before = repr(state)
        following, _ = step(state, told, RECEIVED, PBX)
        assert repr(state) == before
        state = following


@pytest.mark.parametrize("caller", ["101", "<unknown>", "74959999999"])
def test_a_phones_call_of_a_number_is_outbound_whatever_number_it_shows(caller: str) -> None:
    talk = Talk("c1")
    call = calls([talk.came_in(0, caller, "89001234567", "PJSIP/101-00000001"), talk.hangup(9, "c1")])["c1"]
    assert (call.direction, call.client) == ("outbound", "89001234567")


def test_a_call_that_begins_while_the_channels_are_listed_is_not_taken_for_gone() -> None:
    state, _ = run([Talk("c1").came_in(0, "79001234567", LINE)])
    state, events = step(state, AmiMessage((("Event", "CoreShowChannelsComplete"),)), RECEIVED, PBX)
    assert (list(state.calls), events) == (["c1"], ())


def test_what_is_quiet_is_told_by_our_clock_not_by_the_pbxs() -> None:
    talk = Talk("c1", begins=-300)
    messages = [
        talk.came_in(0, "79001234567", LINE),
        *talk.rings(1, "c1", "ch02", "101"),
        *talk.answers(5, "c1", "ch02"),
    ]
    state, _ = run([*messages, *talk.leave(9, "bch02", "c1", "ch02")])
    assert sweep(state, RECEIVED + timedelta(seconds=10))[1] == ()
    assert sweep(state, RECEIVED + timedelta(seconds=30))[1][-1].kind is EventKind.ENDED


def test_a_client_who_waits_after_a_transfer_that_failed_is_still_there() -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE), *talk.rings(1, "c1", "ch02", "101")]
    messages += [
        *talk.answers(5, "c1", "ch02"),
        *talk.leave(20, "bch02", "c1", "ch02"),
        talk.hangup(20, "ch02"),
    ]
    messages += [*talk.rings(20, "c1", "ch03", "102"), talk.dial_end(40, "c1", "ch03", "NOANSWER")]
    state, _ = run(messages)
    assert sweep(state, START + timedelta(minutes=5))[1] == ()


# Whose call an outgoing one is


def outgoing(*dialled: str, exten: str = "989001234567", **own: str) -> list[AmiMessage]:
    """101 calls out; each of `dialled` is tried, the last one answers."""
    talk = Talk("c1")
    told = [talk.came_in(0, "101", exten, "PJSIP/101-00000001")]
    if own:
        told.append(talk.user_event(0, **own))
    for n, address in enumerate(dialled, start=2):
        told += talk.rings(n, "c1", f"ch{n:02}", f"{address}@trunk")[: 3 if n == len(dialled) + 1 else 2]
        if n <= len(dialled):
            told += [talk.dial_end(n, "c1", f"ch{n:02}", "CHANUNAVAIL"), talk.hangup(n, f"ch{n:02}")]
    last = f"ch{len(dialled) + 1:02}"
    return [*told, *talk.answers(9, "c1", last), *talk.parts(15, "c1", last)]


@pytest.mark.parametrize("own", [{}, {"Direction": "out", "Client": "989001234567"}])
def test_a_number_that_was_dialled_with_a_prefix_is_not_told_before_the_right_one(
    own: dict[str, str],
) -> None:
    _, events = run(outgoing("79001234567", **own))
    assert {event.client for event in events if event.client} == {"79001234567"}


def test_of_several_trunks_the_one_on_which_it_rings_says_the_number() -> None:
    _, events = run(outgoing("59001234567", "79001234567", exten="59001234567"))
    assert {event.client for event in events if event.client} == {"79001234567"}


def test_the_number_that_was_dialled_is_told_at_the_end_where_no_leg_was_seen() -> None:
    talk = Talk("c1")
    told = [talk.came_in(0, "101", "79001234567", "PJSIP/101-00000001"), talk.hangup(5, "c1")]
    (call,) = calls(told).values()
    assert (call.direction, call.client) == ("outbound", "79001234567")


def test_our_own_number_that_an_employee_is_shown_is_nobodys_call() -> None:
    talk = Talk("c1")
    talk.caller["c1"] = LINE
    told = [
        talk.new(0, "c1", "PJSIP/101-00000001", caller=LINE),
        talk.dial(0, "DialBegin", None, "c1", DialString="101"),
        talk.dial(4, "DialEnd", None, "c1", DialStatus="NOANSWER"),
        talk.hangup(4, "c1"),
    ]
    (call,) = calls(told).values()
    assert (call.direction, call.client) == ("outbound", None)


def test_two_clients_in_one_room_are_both_talked_to_and_each_for_as_long_as_they_were_there() -> None:
    first, second, phone = Talk("c1"), Talk("c2"), Talk("p1")
    told = [
        first.came_in(0, "79001234567", LINE),
        *first.enter(1, "room", "c1"),
        phone.came_in(4, "101", "77", "PJSIP/101-00000009"),
        *phone.enter(5, "room", "p1"),
        second.came_in(8, "79007654321", LINE, "PJSIP/trunk-00000002"),
        *second.enter(9, "room", "c2"),
        *first.leave(20, "room", "c1"),
        first.hangup(20, "c1"),
        *second.leave(30, "room", "c2"),
        second.hangup(30, "c2"),
        *phone.leave(40, "room", "p1"),
        phone.hangup(40, "p1"),
    ]
    found = calls(told)
    assert [(found[key].answered_by, found[key].talk_seconds) for key in ("c1", "c2")] == [
        ("101", 15),
        ("101", 21),
    ]
    assert (found["p1"].direction, found["p1"].client) == ("internal", None)


@pytest.mark.parametrize(
    ("event", "fields", "is_left"),
    [
        ("QueueCallerJoin", {"Queue": "sales"}, True),
        ("Newexten", {"Application": "VoiceMail"}, True),
        ("Newexten", {"Application": "Read"}, False),  # a survey
    ],
)
def test_a_client_passed_on_to_a_queue_that_rings_nobody_or_to_a_mailbox_is_left_waiting(
    event: str, fields: dict[str, str], is_left: bool
) -> None:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE), *talk.rings(1, "c1", "ch02", "101")]
    messages += [*talk.answers(5, "c1", "ch02"), *talk.leave(20, "bch02", "c1", "ch02")]
    messages += [talk.hangup(20, "ch02"), talk.event(20.1, event, "c1", **fields), talk.hangup(40, "c1")]
    call = calls(messages)["c1"]
    assert (call.answered_by, call.talk_seconds, call.is_left_waiting) == ("101", 15, is_left)
    assert call.rung == ("101",)


def _picked_up_during_an_announcement(state: Legs, *more: AmiMessage) -> tuple[Legs, list[CallEvent]]:
    talk = Talk("c1")
    messages = [talk.came_in(0, "79001234567", LINE), *talk.rings(1, "c1", "ch02", "101")]
    messages += [talk.dial_end(5, "c1", "ch02", "ANSWER"), *more]
    events: list[CallEvent] = []
    for told in messages:
        state, happened = step(state, told, RECEIVED, PBX)
        events += happened
    return state, events


def test_a_link_that_came_back_still_waits_for_bridges_and_a_listing_tells_that_none_are_told() -> None:
    listens, _ = run(answered("c0"))
    listens, _ = resumed(listens, RECEIVED, PBX)
    state, events = _picked_up_during_an_announcement(listens)
    assert EventKind.ANSWERED not in {event.kind for event in events}, "nothing but an announcement yet"
    talk = Talk("c1")
    talk.came_in(0, "79001234567", LINE)
    talk.rings(1, "c1", "ch02", "101")
    listed = [
        talk.event(9, "CoreShowChannel", uid, BridgeId="b", Duration="00:00:08") for uid in ("c1", "ch02")
    ]
    for told in listed:  # an event filter that came with the new login keeps bridges away
        state, happened = step(state, told, RECEIVED, PBX)
        events += happened
    assert EventKind.ANSWERED in {event.kind for event in events}
    _, events = _picked_up_during_an_announcement(Legs(hears_bridges=state.hears_bridges))
    assert EventKind.ANSWERED in {event.kind for event in events}, "then picking up has to do"
