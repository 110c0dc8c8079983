"""What Telegram says is read as its file says, in any order and with whatever it invents besides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.vendors.http import HttpAnswer
from sms.channels.errors import ChannelTrouble
from sms.channels.model import ChannelStateTold, ChatKind, MessageTold, UnreadTold
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
from sms.channels.telegram import sending, wire
from sms.channels.telegram.adapter import TelegramKind
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound
from tests.paths import ROOT

CASES = json.loads((ROOT / "tests" / "cases" / "channels" / "telegram.json").read_text(encoding="utf-8"))
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
KIND = TelegramKind()
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def read(*bodies: dict[str, Any], connection: str = "") -> list[Any]:
    answer = orjson.dumps({"ok": True, "result": list(bodies)})
    return list(wire.parse_updates(answer, connection).updates)


def shown(update: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Return of an update what its case speaks of."""
    told = update_as_json(update)
    told = {**told, "author": told.get("author", {}).get("kind")} if "author" in case["told"] else told
    if isinstance(case["told"].get("chat"), str):
        told["chat"] = told["chat"]["id"]
    return {name: told.get(name) for name in case["told"]}


@each_case
def test_an_update_means_what_its_file_says(case: dict[str, Any]) -> None:
    updates = read(case["body"])
    if case["told"] is None:
        assert updates == []
        return
    assert [shown(update, case) for update in updates] == [case["told"]]
    assert list(wire.parse_update(orjson.dumps(case["body"])).updates) == updates
    assert [update_of(update_as_json(update)) for update in updates] == updates


def test_each_case_is_told_apart_from_all_others() -> None:
    keys = [key_of(update) for update in read(*(case["body"] for case in CASES))]
    assert None not in keys
    assert len(set(keys)) == len(keys) == len(CASES) - 1


def invented(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return an update with fields that nobody knows, in itself and in what it tells."""
    (name,) = [name for name in body if name != "update_id"]
    return {"update_id": body["update_id"], **more, name: {**body[name], **more}}


SOMETHING = [case for case in CASES if case["what"] != "a message with nothing in it"]


@given(
    st.lists(st.sampled_from(SOMETHING), max_size=8), st.dictionaries(st.text(), st.integers(-(2**62), 2**62))
)
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


@given(st.sampled_from(CASES), st.data())
def test_whatever_stands_in_a_field_costs_its_own_update_at_most(
    case: dict[str, Any], data: st.DataObject
) -> None:
    name = next(name for name in case["body"] if name != "update_id")
    field = data.draw(st.sampled_from(sorted(case["body"][name])))
    spoilt = {**case["body"], name: {**case["body"][name], field: data.draw(WILD)}}
    whole = CASES[0]["body"]
    assert read(spoilt, whole)[-1:] == read(whole)


def test_what_cannot_be_read_is_kept_as_it_came_and_the_list_goes_on() -> None:
    bad = {"update_id": 8, "message": {"message_id": 1, "date": 1, "text": "Hi"}}
    answer = orjson.dumps({"ok": True, "result": [bad, CASES[0]["body"]]})
    news = wire.parse_updates(answer)
    unread, good = news.updates
    assert isinstance(unread, UnreadTold)
    assert (unread.field, orjson.loads(unread.raw)) == ("id", bad)
    assert isinstance(good, MessageTold)
    assert news.cursor == str(CASES[0]["body"]["update_id"] + 1)


def test_an_empty_list_leaves_the_cursor_where_it_stands() -> None:
    assert wire.parse_updates(b'{"ok": true, "result": []}').cursor is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"ok": true, "result": 1}', b'{"ok": true, "result": [1]}']
)
def test_a_list_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises((SmsWireInvalid, ChannelTrouble)):
        wire.parse_updates(body)


def test_a_body_of_a_webhook_that_is_no_update_is_refused() -> None:
    with pytest.raises(SmsWireInvalid):
        wire.parse_update(b'{"message": {}}')


def test_a_strangers_business_account_is_kept_apart_and_not_lost() -> None:
    """Whoever likes may connect a bot to theirs, where its business mode is on."""
    of_conn1 = next(case["body"] for case in CASES if "business_message" in case["body"])
    (message,) = read(of_conn1, connection="Conn1")
    assert isinstance(message, MessageTold)
    assert (message.chat.id, message.chat.way) == ("business:5876543210", "Conn1")
    (other,) = read(of_conn1, connection="Conn2")
    assert isinstance(other, UnreadTold)
    assert other.field == "business_connection_id"


def test_a_connection_that_was_cut_is_a_state_of_the_channel_that_names_it_only() -> None:
    def told(connection: str, **more: Any) -> list[Any]:
        linked = {"id": "Conn1", "user": {"id": 1}, "date": 1772434800, **more}
        return read({"update_id": 5, "business_connection": linked}, connection=connection)

    def state(**more: Any) -> ChannelState:
        (update,) = told("Conn1", **more)
        assert isinstance(update, ChannelStateTold)
        return update.state

    assert state(is_enabled=True, rights={"can_reply": True}) is ChannelState.ACTIVE
    assert state(is_enabled=True, can_reply=True) is ChannelState.ACTIVE
    assert state(is_enabled=True, rights={}) is ChannelState.DISABLED
    assert state(is_enabled=False, rights={"can_reply": True}) is ChannelState.DISABLED
    assert told("", is_enabled=False) == told("Conn2", is_enabled=False) == []


def test_only_chats_of_a_business_account_close_after_a_day() -> None:
    channel = MessengerChannel(account_id="1", id="1", name="x", kind="telegram")
    window = KIND.window(channel, "Conn1")
    assert window is not None
    assert window.total_seconds() == 24 * 3600
    assert KIND.window(channel, "") is None


def test_a_channel_is_polled_unless_it_says_otherwise() -> None:
    def polled(**settings: Any) -> bool:
        return KIND.is_polled(
            MessengerChannel(account_id="1", id="1", name="x", kind="telegram", settings=settings)
        )

    assert [polled(), polled(webhook="true"), polled(webhook="no")] == [True, False, True]


@pytest.mark.parametrize(
    ("keys", "header", "is_genuine"),
    [
        ({"webhook_secret": "hush-1"}, "hush-1", True),
        ({"webhook_secret": "hush-1"}, "hush-2", False),
        ({"webhook_secret": "hush-1"}, "", False),
        ({}, "hush-1", None),
    ],
)
def test_case_47_a_webhook_is_known_by_the_secret_in_its_header(
    keys: dict[str, str], header: str, is_genuine: bool | None
) -> None:
    channel = MessengerChannel(account_id="1", id="1", name="x", kind="telegram", keys=keys)
    headers = {"X-Telegram-Bot-Api-Secret-Token": header} if header else {}
    request = SmsInbound(method="POST", path="", query={}, headers=headers, body=b"", received_at=NOW)
    assert KIND.is_genuine(request, channel) is is_genuine


def message(**more: Any) -> OutgoingMessage:
    return OutgoingMessage(**{"key": "k1", "chat_id": "7", "text": "Привет", **more})


def test_what_is_sent_names_chat_connection_and_quoted_message_by_telegrams_own_numbers() -> None:
    call = sending.call_of(message(chat_id="business:7", way="Conn1", quoted_id="business:7:5"))
    assert (call.method, call.fields) == (
        "sendMessage",
        {
            "chat_id": 7,
            "business_connection_id": "Conn1",
            "reply_parameters": {"message_id": 5},
            "text": "Привет",
        },
    )
    assert sending.call_of(message(chat_id="-1001234567890")).fields["chat_id"] == -1001234567890


@pytest.mark.parametrize(
    ("file", "method"),
    [
        (OutgoingFile(name="a.jpg", media_type="image/jpeg", content=b"x"), "sendPhoto"),
        (OutgoingFile(name="a.jpg", media_type="image/jpeg", content=bytes(10485761)), "sendDocument"),
        (OutgoingFile(name="a.svg", media_type="image/svg+xml", content=b"x"), "sendDocument"),
        (
            OutgoingFile(name="a.pdf", media_type="application/pdf", url="https://example.com/a"),
            "sendDocument",
        ),
    ],
)
def test_a_picture_is_shown_where_telegram_can_and_sent_as_it_is_elsewhere(
    file: OutgoingFile, method: str
) -> None:
    call = sending.call_of(message(text="", file=file))
    assert call.method == method
    assert call.fields.get("document") == (file.url or None)


def test_a_boundary_stands_nowhere_in_the_file_and_a_name_ends_no_line() -> None:
    file = OutgoingFile(name='a"\r\nb.txt', media_type="text/plain", content=b"--edge--edgex--")
    body, kind = sending.form_of_call(sending.call_of(message(file=file)), "edge")
    assert kind == "multipart/form-data; boundary=edgexx"
    assert b'filename="a%22%0D%0Ab.txt"' in body


def answer(code: int, words: str, **parameters: Any) -> HttpAnswer:
    told = {"ok": False, "error_code": code, "description": words, "parameters": parameters}
    return HttpAnswer(code, {}, orjson.dumps(told))


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        (403, "Forbidden: bot was blocked by the user", ChannelReason.BLOCKED),
        (403, "Forbidden: user is deactivated", ChannelReason.NO_SUCH_CHAT),
        (403, "Forbidden: bot can't initiate conversation with a user", ChannelReason.NOT_WRITTEN_FIRST),
        (403, "Forbidden: bot was kicked from the supergroup chat", ChannelReason.BLOCKED),
        (403, "Forbidden: something new", ChannelReason.FORBIDDEN),
        (400, "Bad Request: chat not found", ChannelReason.NO_SUCH_CHAT),
        (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING", ChannelReason.WINDOW_CLOSED),
        (400, "Bad Request: BUSINESS_CONNECTION_INVALID", ChannelReason.FORBIDDEN),
        (400, "Bad Request: message is too long", ChannelReason.TOO_LONG),
        (400, "Bad Request: message to be replied not found", ChannelReason.QUOTED_UNKNOWN),
        (400, "Bad Request: failed to get HTTP URL content", ChannelReason.FILE_UNREADABLE),
        (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", ChannelReason.FILE_KIND),
        (413, "Request Entity Too Large", ChannelReason.FILE_TOO_LARGE),
        (401, "Unauthorized", ChannelReason.BAD_KEY),
        (404, "Not Found", ChannelReason.BAD_KEY),
        (400, "Bad Request: something new", ChannelReason.BAD_REQUEST),
    ],
)
def test_a_refusal_has_our_reason_and_telegrams_words(code: int, words: str, reason: ChannelReason) -> None:
    outcome = sending.parse_sent(answer(code, words), message())
    assert outcome == MessageRefused(reason=reason, vendor_code=str(code), words=words)


def test_a_group_that_is_throttled_holds_back_itself_and_others_the_bot() -> None:
    busy = answer(429, "Too Many Requests: retry after 38", retry_after=38)
    said = [sending.parse_sent(busy, message(chat_kind=kind)) for kind in (ChatKind.GROUP, ChatKind.PRIVATE)]
    assert [(s.retry_after, s.of_chat) for s in said if isinstance(s, MessageThrottled)] == [
        (38, True),
        (38, False),
    ]


def test_an_accepted_message_has_the_id_that_its_echo_will_have() -> None:
    body = orjson.dumps({"ok": True, "result": {"message_id": 9, "chat": {"id": 7}}})
    echo = next(case["body"] for case in CASES if case["what"] == "what the bot wrote in its name")
    (told,) = read(echo)
    sent = {"message_id": echo["business_message"]["message_id"], "chat": {"id": 5876543210}}
    to_business = HttpAnswer(200, {}, orjson.dumps({"ok": True, "result": sent}))
    assert sending.parse_sent(HttpAnswer(200, {}, body), message()) == MessageAccepted(id="7:9", chat_id="7")
    outcome = sending.parse_sent(to_business, message(chat_id="business:5876543210", way="Conn1"))
    assert isinstance(outcome, MessageAccepted)
    assert (outcome.id, outcome.chat_id) == (told.id, told.chat.id)
