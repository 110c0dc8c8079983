"""One bad byte or field never costs the event: number, id and direction survive, whatever stands in the others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.intake.inbox import messages_of
from gateway.pbx.asterisk.legs import Legs, step, sweep
from gateway.pbx.asterisk.wire import AmiReader
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Inbound, Parsed, WireInvalid
from gateway.pbx.query import read_query
from routing.calls.fold import fold
from routing.calls.model import CallEvent
from routing.settings import NumberPolicy
from runtime.vendors.mango_signing import signature
from tests.unit.gateway.pbx.builders import CASES, FORM, RECEIVED, a_case, a_connection, a_request

JSON = {"Content-Type": "application/json"}
PBXS = {
    kind: a_connection(kind, keys={"api_key": "key", "api_salt": "salt"} if kind == "mango" else {})
    for kind in KINDS
}
# By kind: fields that are the id, and fields of which number and direction are read.
IDS: Mapping[str, frozenset[str]] = {
    "generic": frozenset({"callId"}),
    "asterisk": frozenset({"callId"}),
    "kamailio": frozenset({"callId"}),
    "ringostat": frozenset({"call_id", "uniqueid", "cdr_id", "additional_call_data"}),
    "mango": frozenset({"entry_id"}),
    "freeswitch": frozenset({"callId", "variables", "uuid", "call_uuid", "originator", "callmatrix_call"}),
}
PARTIES = frozenset(
    [
        "from",
        "to",
        "direction",
        "number",
        "extension",
        "line_number",
        "taken_from_call_id",
        "callback_initiator",
        "call_direction",
        "transfer",
        "event",
        "caller",
        "caller_number",
        "E164",
        "userfield",
        "callee",
        "destination",
        "dst",
        "n_alias",
        "call_type",
        "additional_call_data",
        "variables",
        "callflow",
        "caller_profile",
        "caller_id_number",
        "destination_number",
        "callmatrix_direction",
        "dialed_user",
    ]
)
ALLOWED_TO_BE_MISSING = frozenset({"event", "path", "body", "json", "cdr", "cdr.variables"})


def samples() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind, path, fields) of every recorded or documented message that tells of a call."""
    sipgate, zammad = a_case("generic", "sipgate"), a_case("generic", "zammad")
    for kind in ("generic", "asterisk", "freeswitch"):
        yield from ((kind, "", dict(parse_qsl(sipgate[name]))) for name in ("newCall", "answer", "hangup"))
        yield from ((kind, "", zammad[name]) for name in ("newCall", "answer", "hangup"))
    recipe = a_case("kamailio", "recipe")
    yield from (("kamailio", "", recipe[name]) for name in ("invite", "ringing", "answer", "bye"))
    hooks = a_case("ringostat", "webhooks")
    yield "ringostat", "after", dict(parse_qsl(hooks["classic_query"]))
    yield from (("ringostat", "after", hooks[name]) for name in ("webhooks_2_json", "nested_json"))
    told = a_case("mango", "notifications")
    for name in ("appeared", "rings", "connected", "hung_up"):
        yield "mango", "call", told[name]
    yield from (("mango", "summary", told[name]) for name in ("summary", "summary_of_menu"))
    yield "mango", "record/added", told["record_added"]
    cdr = a_case("freeswitch", "json_cdr")
    yield from (("freeswitch", "", cdr[name]) for name in ("first_leg", "second_leg", "menu_only"))


SAMPLES = list(samples())


def leaves(fields: Mapping[str, Any], *above: str) -> Iterator[tuple[str, ...]]:
    for name, value in fields.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from leaves(value, *above, name)


def spoiled(fields: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    name, *rest = path
    return {**fields, name: spoiled(fields[name], tuple(rest), value) if rest else value}


def sent(kind: str, path: str, fields: Mapping[str, Any]) -> Inbound:
    """As this kind sends it. Bytes in a value stand in the body as they are."""
    raw = as_json(fields)
    if kind == "mango":
        text = raw.decode("utf-8", "surrogateescape")
        form = {"vpbx_api_key": b"key", "sign": signature("key", "salt", text).encode(), "json": raw}
        body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in form.items())
        return a_request(path, body=body.encode(), headers={"Content-Type": FORM})
    return a_request(path, body=raw, headers=JSON)


def as_json(fields: Any) -> bytes:
    marks: list[bytes] = []

    def marked(value: Any) -> Any:
        if isinstance(value, bytes):
            marks.append(value)
            return f"<<{len(marks) - 1}>>"
        if isinstance(value, dict):
            return {name: marked(inner) for name, inner in value.items()}
        return [marked(inner) for inner in value] if isinstance(value, list) else value

    body = json.dumps(marked(fields)).encode()
    for n, mark in enumerate(marks):
        body = body.replace(f"<<{n}>>".encode(), mark)
    return body


def parsed_or_refused(kind: str, request: Inbound) -> Parsed | str:
    """str: the name of the field for which it is refused."""
    try:
        return KINDS[kind].parse(request, PBXS[kind])
    except WireInvalid as refused:
        return refused.field


def facts(parsed: Parsed) -> dict[str, Any]:
    call = fold(parsed.events)
    return {"id": call.call_key, "client": call.client, "direction": call.direction}


def assert_storable(kind: str, parsed: Parsed) -> None:
    for row in messages_of(PBXS[kind], parsed, b"", RECEIVED, NumberPolicy()):
        assert "\x00" not in row.events + row.call_key
        assert "\\u0000" not in row.events.replace("\\\\", "")
        (row.events + row.call_key).encode()
    "".join(parsed.spoilt).encode()


BYTES = st.binary(max_size=12).map(lambda raw: raw.replace(b'"', b"").replace(b"\\", b""))
GARBAGE = (
    BYTES
    | st.sampled_from([b"\\u0000", b"\\ud83d", b"\\x", b"\xd0", b"\xec\xe5\xe1", b"a\x00b"])
    | st.sampled_from(
        [{}, [], {"a": 1}, [1, "x"], True, -1, 1.5, 10**40, 1e308, "NaN", "²", " ", "-1", "\u202e"]
    )
    | st.text(max_size=12)
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), st.data())
def test_number_id_and_direction_survive_garbage_in_any_other_field(sample: Any, data: st.DataObject) -> None:
    kind, path, fields = sample
    where = data.draw(st.sampled_from(list(leaves(fields))))
    request = sent(kind, path, spoiled(fields, where, data.draw(GARBAGE)))
    assert KINDS[kind].authenticate(request, PBXS[kind]) == (kind == "mango")
    parsed = parsed_or_refused(kind, request)
    if isinstance(parsed, str):
        assert where[-1] in IDS[kind] | {"event"}, where
        assert parsed in ALLOWED_TO_BE_MISSING or set(parsed.split(".")) & IDS[kind]
        return
    assert_storable(kind, parsed)
    if not parsed.events:
        return
    told, whole = facts(parsed), facts(KINDS[kind].parse(sent(kind, path, fields), PBXS[kind]))
    if where[-1] not in IDS[kind]:
        assert told["id"] == whole["id"]
    # A leg of FreeSWITCH that lost the id of its call stands alone.
    if where[-1] not in PARTIES | (IDS[kind] if kind == "freeswitch" else frozenset()):
        assert (told["client"], told["direction"]) == (whole["client"], whole["direction"])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["json", "form", "query", "multipart"]), BYTES, BYTES)
def test_two_ids_that_differ_in_a_byte_are_two_calls(how: str, one: bytes, other: bytes) -> None:
    assume(one != other and b"\r" not in one + other and b"\n" not in one + other)
    keys = set()
    for raw in (one, other):
        parsed = parsed_or_refused("generic", with_id(how, raw))
        if isinstance(parsed, str):
            assert parsed in ("callId", "body")
            return
        keys.add(facts(parsed)["id"])
    assert len(keys) == 2


def with_id(how: str, raw: bytes, headers: Mapping[str, str] | None = None) -> Inbound:
    told = {"event": b"newCall", "from": b"79001234567", "to": b"74951234567", "callId": b"x" + raw + b"x"}
    form = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in told.items())
    if how == "query":
        return a_request(query=read_query(f"/e?{form}"))
    if how == "form":
        return a_request(body=form.encode(), headers={"Content-Type": FORM})
    if how == "json":
        return a_request(body=as_json(told), headers=JSON)
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v)
        for n, v in told.items()
    ]
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return a_request(body=b"".join(parts) + b"--b--\r\n", headers=kind)


CALL = "event=newCall&callId=c1&from=79001234567&to=74951234567&direction=in"


@pytest.mark.parametrize(
    ("body", "content_type", "utm"),
    [
        (f"{CALL}&utm_term=%EC%E5%E1".encode(), FORM, "\ufffdEC\ufffdE5\ufffdE1"),
        (f"{CALL}&utm_term=%EC%E5%E1".encode(), f"{FORM}; charset=windows-1251", "меб"),
        (f"{CALL}&utm_term=меб".encode("cp1251"), f"{FORM}; charset=windows-1251", "меб"),
        (f"{CALL}&utm_term=меб".encode(), f"{FORM}; charset=iso-8859-1", "меб"),
        (f"{CALL}&utm_term=a%00b".encode(), FORM, "a\ufffd00b"),
        (b"\xef\xbb\xbf" + f"{CALL}&utm_term=x".encode(), FORM, "x"),
        (f"{CALL}&utm_term=x".encode(), f"{FORM}; charset=rot13", "x"),
    ],
)
def test_a_form_in_whatever_charset(body: bytes, content_type: str, utm: str) -> None:
    parsed = KINDS["generic"].parse(
        a_request(body=body, headers={"Content-Type": content_type}), PBXS["generic"]
    )
    assert facts(parsed) == {"id": "c1", "client": "79001234567", "direction": "inbound"}
    assert parsed.events[0].params == {"utm_term": utm}
    assert parsed.spoilt == (("utm_term",) if "\ufffd" in utm else ())


def test_of_a_name_that_is_none_its_length_is_told() -> None:
    body = f"{CALL}&Иван Секретов=%EC".encode()
    assert KINDS["generic"].parse(
        a_request(body=body, headers={"Content-Type": FORM}), PBXS["generic"]
    ).spoilt == ("<13 characters>",)


@pytest.mark.parametrize(
    ("value", "utm"),
    [
        (b"\xd0\xbc\xd0", "м\ufffdD0"),
        (rb"\ud83d", "\ufffdD83D"),
        (rb"\ud83d\ude00", "😀"),
        (rb"\u0000", "\ufffd00"),
        (rb"C:\quiet", r"C:\quiet"),
        (b"a\tb", "a\tb"),
    ],
)
def test_json_with_one_bad_letter(value: bytes, utm: str) -> None:
    fields = {"event": "newCall", "callId": "c1", "from": 79001234567, "to": "74951234567", "utm_term": value}
    parsed = KINDS["generic"].parse(a_request(body=as_json(fields), headers=JSON), PBXS["generic"])
    assert facts(parsed) == {"id": "c1", "client": "79001234567", "direction": "inbound"}
    assert parsed.events[0].params == {"utm_term": utm}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_json_with_a_mark_of_its_byte_order(codec: str) -> None:
    text = json.dumps({"event": "newCall", "callId": "c1", "from": "79001234567", "to": "74951234567"})
    body = b"\xff\xfe" * (codec == "utf-16-le") + text.encode(codec)
    assert facts(KINDS["generic"].parse(a_request(body=body, headers=JSON), PBXS["generic"]))["id"] == "c1"


def test_multipart_is_a_form_and_its_files_are_left_out() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="event"\r\n\r\nnewCall\r\n'
        b"--b\r\nContent-Disposition: form-data; name=callId\r\n\r\nc1\r\n"
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.wav"\r\n\r\n\x00\xff\r\n'
        b'--b\r\nContent-Disposition: form-data; name="from"\r\nContent-Type: text/plain\r\n\r\n79001234567\r\n--b--\r\n'
    )
    headers = {"Content-Type": 'multipart/form-data; charset=utf-8; boundary="b"'}
    parsed = KINDS["generic"].parse(a_request(body=body, headers=headers), PBXS["generic"])
    assert (facts(parsed)["id"], parsed.events[0].params) == ("c1", {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1700000000.1", "1700000000.10"),
        ("340282366920938463463374607431768211455", "340282366920938463463374607431768211456"),
        ("1e5", "100000"),
        ("9007199254740993", "9007199254740992"),
    ],
)
def test_numbers_as_ids_are_their_own_text(one: str, other: str) -> None:
    keys = []
    for number in (one, other):
        body = f'{{"event":"newCall","callId":{number},"from":"79001234567","to":"74951234567"}}'.encode()
        keys.append(facts(KINDS["generic"].parse(a_request(body=body, headers=JSON), PBXS["generic"]))["id"])
    assert keys == [one, other]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "body",
    [
        b"phone=79000000007&name=%EC%E5",
        b'{"phone":"79000000007","name":"\xec\xe5"}',
        b'{"phone":79000000007,"name":"\\ud83d"}',
        b'{"phone":79000000007,"name":"\\u0000"}',
        b"\xef\xbb\xbfphone=79000000007",
        b"phone=79000000007&name=a%00",
    ],
)
def test_a_question_is_heard_whatever_else_its_body_holds(kind: str, body: bytes) -> None:
    request = a_request(body=body, headers={"Content-Type": "x"})
    assert KINDS[kind].lookup_request(request, PBXS[kind]).phone == "79000000007"


def test_a_secret_with_a_bad_byte_is_a_wrong_secret() -> None:
    for token in ("de\udcffmo", "\ud83d"):
        request = a_request(query={"token": token}, headers={"Authorization": f"Bearer {token}"})
        assert not KINDS["generic"].authenticate(request, PBXS["generic"])


STREAM = (CASES / "asterisk" / "answered.txt").read_bytes()
BLOCKS = STREAM.replace(b"\r\n", b"\n").split(b"\n\n")
# Headers that say what a message is of, who calls and who is rung.
_OF_THE_CALL = re.compile(
    rb"(Dest)?(Event|Uniqueid|Linkedid|Channel|ChannelState|CallerIDNum|Exten|DialStatus)|BridgeUniqueid|DialString",
    re.IGNORECASE,
)


def ami_call(stream: bytes) -> dict[str, Any]:
    state, events = Legs(), list[CallEvent]()
    for told in AmiReader().feed(stream):
        state, happened = step(state, told, RECEIVED, PBXS["asterisk"])
        events += happened
    events += sweep(state, RECEIVED + timedelta(days=1))[1]
    call = fold(events)
    return {"id": call.call_key, "client": call.client, "direction": call.direction, "by": call.answered_by}


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_garbage_in_any_other_header_of_the_manager_interface_costs_nothing(data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(BLOCKS) - 1))
    lines = BLOCKS[number].split(b"\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    name = lines[at].partition(b":")[0]
    assume(not _OF_THE_CALL.fullmatch(name))
    garbage = data.draw(BYTES.map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")))
    lines[at] = name + b": " + garbage
    spoilt = [*BLOCKS[:number], b"\n".join(lines), *BLOCKS[number + 1 :]]
    assert ami_call(b"\n\n".join(spoilt)) == ami_call(b"\n\n".join(BLOCKS))
