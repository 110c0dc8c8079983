"""What MAX says is read as its file says, in any order and with whatever it invents besides."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.vendors.http import HttpAnswer
from sms.channels.errors import ChannelTrouble
from sms.channels.max import sending, wire
from sms.channels.max.adapter import MaxKind, secret_of
from sms.channels.model import MessageTold, UnreadTold
from sms.channels.port import MessengerChannel
from sms.channels.reasons import ChannelReason, ChannelState
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    OutgoingFile,
    OutgoingMessage,
)
from sms.channels.stored import key_of, update_as_json, update_of
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound
from tests.fakes.channels.max import TOKEN
from tests.paths import ROOT

CASES = json.loads((ROOT / "tests" / "cases" / "channels" / "max.json").read_text(encoding="utf-8"))
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
KIND = MaxKind()
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def read(*bodies: dict[str, Any]) -> list[Any]:
    answer = orjson.dumps({"updates": list(bodies), "marker": 7})
    return list(wire.parse_updates(answer, TOKEN).updates)


def shown(update: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Return of an update what its case speaks of."""
    told = update_as_json(update)
    told = {**told, "author": told.get("author", {}).get("kind")} if "author" in case["told"] else told
    return {name: told.get(name) for name in case["told"]}


@each_case
def test_an_update_means_what_its_file_says(case: dict[str, Any]) -> None:
    updates = read(case["body"])
    if case["told"] is None:
        assert updates == []
        return
    assert [shown(update, case) for update in updates] == [case["told"]]
    assert list(wire.parse_update(orjson.dumps(case["body"]), TOKEN).updates) == updates
    assert [update_of(update_as_json(update)) for update in updates] == updates


def test_every_kind_of_attachment_stands_in_a_case() -> None:
    told = {
        attached["type"]
        for case in CASES
        for attached in ((case["body"].get("message") or {}).get("body") or {}).get("attachments") or ()
    }
    of_the_schema = "image video audio file sticker contact inline_keyboard share location data"
    assert set(of_the_schema.split()) <= told


def test_each_case_is_told_apart_from_all_others() -> None:
    keys = [key_of(update) for update in read(*(case["body"] for case in CASES))]
    assert None not in keys
    assert len(set(keys)) == len(keys) == len([case for case in CASES if case["told"]])


def invented(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return an update with fields that nobody knows, in itself and in what it tells."""
    inside = {
        name: {**value, **more} if isinstance(value, dict) else value
        for name, value in (body.get("message") or {}).items()
    }
    return {**more, **body, **({"message": {**more, **inside}} if inside else {})}


@given(st.lists(st.sampled_from(CASES), max_size=8), st.dictionaries(st.text(), st.integers(-(2**62), 2**62)))
def test_case_47_order_repetition_and_unknown_fields_change_nothing(
    cases: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    unknown = {f"zz_{name}": value for name, value in more.items()}
    alone = [update for case in cases for update in read(case["body"])]
    together = read(*(invented(case["body"], unknown) for case in cases))
    assert together == alone
    assert {key_of(u) for u in together + alone} == {key_of(u) for u in alone}


WILD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def spoil(told: Any, data: st.DataObject) -> Any:
    """Return it with something else in one of its fields, however deep."""
    if isinstance(told, dict) and told and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(told)))
        return {**told, name: spoil(told[name], data)}
    if isinstance(told, list) and told and data.draw(st.booleans()):
        return [spoil(told[0], data), *told[1:]]
    return data.draw(WILD)


@given(st.sampled_from(CASES), st.data())
def test_whatever_stands_in_a_field_costs_its_own_update_at_most(
    case: dict[str, Any], data: st.DataObject
) -> None:
    whole = CASES[0]["body"]
    assert read(spoil(case["body"], data), whole)[-1:] == read(whole)


def test_what_cannot_be_read_is_kept_as_it_came_and_the_list_goes_on() -> None:
    bad = {"update_type": "message_created", "timestamp": 1, "message": {"body": {"mid": "mid.1"}}}
    news = wire.parse_updates(orjson.dumps({"updates": [bad, CASES[0]["body"]], "marker": 25493970}))
    unread, good = news.updates
    assert isinstance(unread, UnreadTold)
    assert (unread.field, orjson.loads(unread.raw)) == ("chat_id", bad)
    assert isinstance(good, MessageTold)
    assert news.cursor == "25493970"


def test_an_empty_list_without_a_marker_leaves_the_cursor_where_it_stands() -> None:
    assert wire.parse_updates(b'{"updates": [], "marker": null}').cursor is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"updates": 1}', b'{"code": "x", "message": "y"}', b'{"success": false}']
)
def test_a_list_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises((SmsWireInvalid, ChannelTrouble)):
        wire.parse_updates(body)


def test_a_body_of_a_webhook_that_is_no_update_is_refused() -> None:
    with pytest.raises(SmsWireInvalid):
        wire.parse_update(b'{"message": {}}')


@pytest.mark.parametrize("spelled", ["hex", "base64", "base64url"])
def test_a_card_is_the_clients_own_where_max_has_signed_it_in_whatever_letters(spelled: str) -> None:
    case = next(case for case in CASES if "signed" in case["what"] and case["told"]["chat"].get("phone"))
    body = json.loads(json.dumps(case["body"]))
    card = body["message"]["body"]["attachments"][0]["payload"]
    digest = hmac.new(TOKEN.encode(), card["vcf_info"].encode(), hashlib.sha256).digest()
    letters = {"hex": digest.hex, "base64": lambda: base64.b64encode(digest).decode()}
    card["hash"] = letters.get(spelled, lambda: base64.urlsafe_b64encode(digest).decode())()
    (told,) = read(body)
    assert told.chat.phone == "+79161234567"
    (unsigned,) = wire.parse_updates(orjson.dumps({"updates": [body], "marker": 1}), "of another bot").updates
    assert isinstance(unsigned, MessageTold)
    assert unsigned.chat.phone == ""


def channel(**more: Any) -> MessengerChannel:
    return MessengerChannel(
        **{"account_id": "1", "id": "c1", "name": "x", "kind": "max", "keys": {"token": TOKEN}, **more}
    )


def test_a_channel_is_told_unless_it_says_that_it_is_polled() -> None:
    said = [channel(), channel(settings={"receives": "poll"}), channel(settings={"receives": ""})]
    assert [KIND.is_polled(one) for one in said] == [False, True, False]


def test_a_secret_is_one_that_max_takes_and_each_channel_and_token_has_its_own() -> None:
    secrets = {secret_of(channel()), secret_of(channel(id="c2")), secret_of(channel(keys={"token": "t2"}))}
    assert len(secrets) == 3
    assert all(5 <= len(s) <= 256 and s.isalnum() and s.isascii() for s in secrets)
    assert all(TOKEN not in s for s in secrets)


@pytest.mark.parametrize(
    ("headers", "is_genuine"),
    [
        ({"X-Max-Bot-Api-Secret": secret_of(channel())}, True),
        ({"x-max-bot-api-secret": secret_of(channel())}, True),
        ({"X-Max-Bot-Api-Secret": secret_of(channel(id="c2"))}, False),
        ({"X-Max-Bot-Api-Secret": ""}, False),
        ({"X-Max-Bot-Api-Secret": "ключ"}, False),
        ({}, False),
    ],
)
def test_case_47_a_webhook_is_known_by_the_secret_in_its_header(
    headers: dict[str, str], is_genuine: bool
) -> None:
    request = SmsInbound(method="POST", path="", query={}, headers=headers, body=b"", received_at=NOW)
    assert KIND.is_genuine(request, channel()) is is_genuine


def message(**more: Any) -> OutgoingMessage:
    return OutgoingMessage(**{"key": "k1", "chat_id": "7", "text": "Привет", **more})


def test_a_message_says_no_more_than_it_has() -> None:
    assert sending.message_json(message(), None) == {"text": "Привет"}
    file = {"type": "file", "payload": {"token": "t"}}
    assert sending.message_json(message(text=""), file) == {"attachments": [file]}
    assert sending.message_json(message(quoted_id="mid.5"), None)["link"] == {"type": "reply", "mid": "mid.5"}
    assert sending.path_to("-70801090403050") == "messages?chat_id=-70801090403050"


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("image/jpeg", "image"),
        ("image/webp", "file"),
        ("image/svg+xml", "file"),
        ("video/webm", "video"),
        ("audio/ogg", "file"),
        ("application/pdf", "file"),
    ],
)
def test_a_file_goes_as_what_max_shows_and_as_it_is_elsewhere(media_type: str, kind: str) -> None:
    assert sending.upload_kind(OutgoingFile(name="a", media_type=media_type, content=b"x")) == kind


def answer(status: int, code: str, words: str = "", **headers: str) -> HttpAnswer:
    return HttpAnswer(status, headers, orjson.dumps({"code": code, "message": words}))


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "verify.token", ChannelReason.BAD_KEY),
        (403, "verify.token", ChannelReason.BAD_KEY),
        (403, "chat.denied", ChannelReason.BLOCKED),
        (403, "error.dialog.suspended", ChannelReason.BLOCKED),
        (403, "access.denied", ChannelReason.FORBIDDEN),
        (404, "dialog.not.found", ChannelReason.NOT_WRITTEN_FIRST),
        (404, "chat.not.found", ChannelReason.NO_SUCH_CHAT),
        (404, "something.new", ChannelReason.NO_SUCH_CHAT),
        (400, "attachment.not.ready", ChannelReason.FILE_UNREADABLE),
        (400, "proto.payload", ChannelReason.BAD_REQUEST),
        (413, "too.large", ChannelReason.FILE_TOO_LARGE),
        (200, "chat.denied", ChannelReason.BLOCKED),
    ],
)
def test_a_refusal_has_our_reason_and_maxs_code(status: int, code: str, reason: ChannelReason) -> None:
    outcome = sending.parse_sent(answer(status, code, "Key: …"), message())
    assert outcome == MessageRefused(reason=reason, vendor_code=code, words="Key: …")


def test_too_many_messages_are_put_back_for_as_long_as_max_says_or_a_second() -> None:
    said = [
        sending.parse_sent(answer(429, "too.many.requests", "slow", **{"Retry-After": "7"}), message()),
        sending.parse_sent(answer(429, "something.new"), message()),
    ]
    assert [s.retry_after for s in said if isinstance(s, MessageThrottled)] == [7.0, 1.0]


def test_an_accepted_message_has_the_id_that_its_echo_will_have() -> None:
    echo = next(case["body"] for case in CASES if case["told"] and case["told"].get("direction") == "out")
    (told,) = read(echo)
    sent = HttpAnswer(200, {}, orjson.dumps({"message": echo["message"]}))
    assert sending.parse_sent(sent, message()) == MessageAccepted(id=told.id, chat_id=told.chat.id)


def test_a_token_that_is_not_taken_is_a_state_of_the_channel() -> None:
    with pytest.raises(ChannelTrouble) as caught:
        wire.parse_state(b'{"code": "verify.token", "message": "Invalid access_token"}')
    assert caught.value.state is ChannelState.UNAUTHORISED


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("https://gateway.example/channels/c1/older", True),
        ("https://gateway.example/channels/c2/secret", False),
        ("https://elsewhere.example/channels/c1/older", False),
        ("https://shop.example/max", False),
    ],
)
def test_an_address_is_an_older_one_of_this_channel_by_all_but_its_secret(other: str, is_same: bool) -> None:
    assert wire.is_same_channel("https://gateway.example/channels/c1/secret", other) is is_same
