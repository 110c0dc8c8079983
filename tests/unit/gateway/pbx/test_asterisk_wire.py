"""AMI and FastAGI as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pbx.asterisk import agi
from gateway.pbx.asterisk.wire import AmiMessage, AmiReader, parse_block, serialise
from gateway.pbx.port import WireInvalid
from tests.unit.gateway.pbx.builders import CASES

STREAM = (CASES / "asterisk" / "answered.txt").read_bytes().replace(b"\n", b"\r\n")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_messages_are_the_same_however_the_bytes_are_cut(lengths: list[int]) -> None:
    reader, messages, place = AmiReader(), [], 0
    for length in [*lengths, len(STREAM)]:
        messages += reader.feed(STREAM[place : place + length])
        place += length
    assert messages == AmiReader().feed(STREAM)
    assert reader.banner == "Asterisk Call Manager/11.0.0"


def test_the_recorded_stream_holds_what_was_sent() -> None:
    messages = AmiReader().feed(STREAM)
    assert messages[0].response == "Success"
    assert [m.event for m in messages].count("Hangup") == 2
    assert (messages[2].event, messages[2].get("calleridnum"), messages[2].get("nothing", "-")) == (
        "Newchannel",
        "79001234567",
        "-",
    )


def test_something_that_is_no_ami_is_refused_at_its_first_line() -> None:
    with pytest.raises(WireInvalid, match="banner"):
        AmiReader().feed(b"HTTP/1.1 400 Bad Request\r\n")
    assert AmiReader().feed(b"Asterisk Call Man") == []


def test_a_message_that_is_too_long_costs_only_itself() -> None:
    left_out: list[WireInvalid] = []
    reader = AmiReader(most_bytes=1000, on_unreadable=left_out.append)
    reader.feed(b"Asterisk Call Manager/5.0.4\r\n" + b"Key: value\r\n" * 50)
    for _ in range(50):
        assert reader.feed(b"Key: value\r\n" * 50) == []
    found = reader.feed(b"Key: value\r\n\r\nEvent: Hangup\r\nUniqueid: 1\r\n\r\n")
    assert [(m.event, m.get("Uniqueid")) for m in found] == [("Hangup", "1")]
    assert [err.field for err in left_out] == ["message"]


@pytest.mark.parametrize("end", ["\r\n\r\n", "\n\n", "\r\n\n", "\n\r\n", "\r\n\r\r\n"])
def test_every_mixture_of_line_ends_ends_a_message(end: str) -> None:
    stream = f"Asterisk Call Manager/9\r\nEvent: A{end}Event: Hangup{end}".encode()
    whole = AmiReader().feed(stream)
    assert [m.event for m in whole] == ["A", "Hangup"]
    reader = AmiReader()
    assert [m for byte in stream for m in reader.feed(bytes([byte]))] == whole


@pytest.mark.parametrize(
    "separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r"]
)
def test_a_callers_name_cannot_begin_a_header(separator: str) -> None:
    forged = f"a{separator}Uniqueid: 666{separator}Linkedid: 666"
    stream = f"Event: Newchannel\r\nCallerIDName: {forged}\r\nUniqueid: 1\r\nLinkedid: 1\r\n\r\n"
    (found,) = AmiReader(banner="x").feed(stream.encode())
    assert (found.get("Uniqueid"), found.get("Linkedid")) == ("1", "1")


def test_a_message_that_names_two_ids_is_left_out_and_counted() -> None:
    left_out: list[WireInvalid] = []
    reader = AmiReader(banner="x", on_unreadable=left_out.append)
    stream = b"Event: Newchannel\nUniqueid: 666\nUniqueid: 1\n\nEvent: Hangup\nUniqueid: 2\nUniqueid: 2\n\n"
    assert [m.event for m in reader.feed(stream)] == ["Hangup"]
    assert [err.field for err in left_out] == ["uniqueid"]


def test_repeated_keys_broken_bytes_and_command_output_are_kept() -> None:
    told = parse_block(b"Event: X\r\nVar: a\r\nvar: b\r\nCallerIDName: \xff\x00me\r\n  some output: here\r\n")
    assert told.all("Var") == ("a", "b")
    assert told.get("CallerIDName") == "\ufffdFFme"
    assert told.all("Output") == ("  some output: here",)


def test_an_action_is_written_and_read_back() -> None:
    raw = serialise("Originate", [("ActionID", "1"), ("Variable", "A=1"), ("Variable", "B=2")])
    assert raw == b"Action: Originate\r\nActionID: 1\r\nVariable: A=1\r\nVariable: B=2\r\n\r\n"
    assert parse_block(raw) == AmiMessage(
        (("Action", "Originate"), ("ActionID", "1"), ("Variable", "A=1"), ("Variable", "B=2"))
    )


@pytest.mark.parametrize(
    ("name", "value"), [("X", "a\r\nAction: Command"), ("X\n", "a"), ("X", "\x00"), ("", "a"), ("X: y", "a")]
)
def test_nothing_can_be_smuggled_into_an_action(name: str, value: str) -> None:
    with pytest.raises(WireInvalid):
        serialise("Ping", [(name, value)])


AGI = b"""agi_network: yes
agi_network_script: route?src=ast
agi_request: agi://127.0.0.1:4574/route?src=ast
agi_channel: PJSIP/sipp-00000008
agi_uniqueid: gw-1795283006.8
agi_callerid: 79001234567
agi_dnid: unknown
agi_extension: dial
agi_arg_1: 700
agi_arg_2: hello"""


def test_an_agi_request_is_a_question_about_the_caller() -> None:
    request = agi.parse_request(AGI)
    assert (request.path, request.query, request.args) == ("route", {"src": "ast"}, ("700", "hello"))
    asked = request.question()
    assert (asked.phone, asked.did, asked.call_id) == ("79001234567", "700", "gw-1795283006.8")


def test_a_withheld_number_is_none_and_the_extension_is_the_last_resort() -> None:
    request = agi.parse_request(AGI.replace(b"79001234567", b"unknown").replace(b"agi_arg_1", b"agi_arg_9"))
    assert (request.question().phone, request.question().did) == (None, "dial")


@pytest.mark.parametrize(
    "block", [b"", b"GET / HTTP/1.1", b"agi_network: yes", b"agi_request: x\n" + b"agi_a: " + b"x" * 70_000]
)
def test_what_is_no_agi_request_is_refused(block: bytes) -> None:
    with pytest.raises(WireInvalid):
        agi.parse_request(block)


def test_commands_are_quoted_and_cannot_hold_line_breaks() -> None:
    assert agi.command("VERBOSE", 'say "hi" \\', "1") == b'VERBOSE "say \\"hi\\" \\\\" "1"\n'
    assert agi.set_variable("CALLMATRIX_TARGET", "101") == b'SET VARIABLE CALLMATRIX_TARGET "101"\n'
    with pytest.raises(WireInvalid):
        agi.command("EXEC", "a\nHANGUP")
    with pytest.raises(WireInvalid):
        agi.set_variable('X" 1', "a")


@pytest.mark.parametrize(
    ("line", "done", "value", "gone"),
    [
        (b"200 result=1 (79001234567)\n", True, "79001234567", False),
        (b"200 result=1\n", True, None, False),
        (b"200 result=0\n", True, None, False),
        (b"200 result=-1\n", False, None, False),
        (b"510 Invalid or unknown command\n", False, None, False),
        (b"511 Command Not Permitted on a dead channel\n", False, None, True),
        (b"HANGUP\n", False, None, True),
    ],
)
def test_replies(line: bytes, done: bool, value: str | None, gone: bool) -> None:
    reply = agi.parse_reply(line)
    assert (reply.is_done, reply.value, reply.is_gone) == (done, value, gone)


def test_a_reply_that_is_none_is_refused() -> None:
    with pytest.raises(WireInvalid, match="reply"):
        agi.parse_reply(b"hello")
