"""What Wazzup says is read as its file says, in any order and with whatever it invents besides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.vendors.http import HttpAnswer
from sms.channels.model import MessageTold, StatusTold, UnreadTold
from sms.channels.port import MessengerChannel
from sms.channels.reasons import ChannelReason, ChannelState
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    MessageUnknown,
    OutgoingFile,
    OutgoingMessage,
)
from sms.channels.stored import key_of, update_as_json, update_of
from sms.channels.wazzup import wire
from sms.channels.wazzup.adapter import WazzupKind
from sms.channels.wazzup.codes import reason_of, state_of
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound
from tests.paths import ROOT

CASES = json.loads((ROOT / "tests" / "cases" / "channels" / "wazzup.json").read_text(encoding="utf-8"))
ITEMS = [item for case in CASES for item in case["body"].get("messages", ())]
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
KIND = WazzupKind()


def read(**body: Any) -> list[Any]:
    return list(wire.parse_news(orjson.dumps(body)).updates)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_a_body_means_what_its_file_says(case: dict[str, Any]) -> None:
    updates = read(**case["body"])
    told = [update_as_json(update) for update in updates]
    shown = [{name: one.get(name) for name in said} for one, said in zip(told, case["told"], strict=True)]
    assert shown == case["told"]
    assert [update_of(one) for one in told] == updates


def test_each_message_is_told_apart_from_all_others() -> None:
    keys = [key_of(update) for update in read(messages=ITEMS)]
    assert None not in keys
    assert len(set(keys)) == len(keys) == len(ITEMS) + 1  # one did not arrive, and is a status too


@given(st.lists(st.sampled_from(ITEMS), max_size=8), st.dictionaries(st.text(), st.integers(-(2**62), 2**62)))
def test_case_47_order_repetition_and_unknown_fields_change_nothing(
    items: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    unknown = {f"zz_{name}": value for name, value in more.items()}
    alone = [update for item in items for update in read(messages=[item])]
    together = read(messages=[{**item, **unknown} for item in items], **unknown)
    assert together == alone
    assert {key_of(u) for u in together + alone} == {key_of(u) for u in alone}


WILD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(ITEMS), st.data())
def test_whatever_stands_in_a_field_costs_its_own_message_at_most(
    item: dict[str, Any], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(item)))
    spoilt = {**item, field: data.draw(WILD)}
    assert read(messages=[spoilt, ITEMS[0]])[-1:] == read(messages=[ITEMS[0]])


@given(WILD, WILD, WILD)
def test_whatever_the_lists_hold_is_kept(messages: Any, statuses: Any, channels: Any) -> None:
    for update in read(messages=messages, statuses=statuses, channelsUpdates=channels):
        assert isinstance(update, UnreadTold)


def test_what_cannot_be_read_is_kept_as_it_came() -> None:
    bad = {**ITEMS[0], "chatId": None}
    first, unread, status = read(messages=[ITEMS[0], bad], statuses=[{"messageId": "x", "status": "read"}])
    assert isinstance(first, MessageTold)
    assert isinstance(unread, UnreadTold)
    assert (unread.field, orjson.loads(unread.raw)) == ("chatId", {"messages": [bad]})
    assert isinstance(status, StatusTold)


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(SmsWireInvalid):
        wire.parse_news(body)


def test_a_status_that_nobody_knows_is_kept_unread() -> None:
    (unread,) = read(statuses=[{"messageId": "x", "status": "burnt"}])
    assert isinstance(unread, UnreadTold)


@pytest.mark.parametrize("id", ["79161234567", "+79161234567", "0123456789", "123456789", "123456789012345"])
def test_only_what_is_a_number_counts_as_one(id: str) -> None:
    (message,) = read(messages=[{**ITEMS[0], "chatId": id}])
    assert message.chat.phone == ("+79161234567" if id == "79161234567" else "")


@pytest.mark.parametrize(
    ("header", "is_genuine"), [("Bearer hush", True), ("Bearer other", False), ("hush", False), ("", False)]
)
def test_case_47_where_wazzup_holds_our_key_a_webhook_bears_it(header: str, is_genuine: bool) -> None:
    def channel(**keys: str) -> MessengerChannel:
        return MessengerChannel(account_id="1", id="1", name="x", kind="wazzup", keys=keys)

    headers = {"authorization": header} if header else {}
    request = SmsInbound(method="POST", path="", query={}, headers=headers, body=b"{}", received_at=NOW)
    assert KIND.is_genuine(request, channel(crm_key="hush")) is is_genuine
    assert KIND.is_genuine(request, channel()) is None


@pytest.mark.parametrize(
    ("transport", "days"), [("wapi", 1), ("instagram", 7), ("whatsapp", None), ("", None)]
)
def test_how_long_a_client_may_be_written_to_hangs_on_the_messenger(transport: str, days: int | None) -> None:
    settings = {"channel_id": "c", "transport": transport}
    channel = MessengerChannel(account_id="1", id="1", name="x", kind="wazzup", settings=settings)
    assert KIND.window(channel, "whatsapp") == (timedelta(days=days) if days else None)
    assert KIND.outside_id(channel) == "c"


def message(**more: Any) -> OutgoingMessage:
    return OutgoingMessage(
        **{"key": "k1", "chat_id": "79161234567", "way": "whatsapp", "text": "Привет", **more}
    )


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (message(), {"chatType": "whatsapp", "chatId": "79161234567", "text": "Привет"}),
        (
            message(chat_id="whatsgroup:120363", way="whatsgroup", quoted_id="6a20"),
            {"chatType": "whatsgroup", "chatId": "120363", "text": "Привет", "refMessageId": "6a20"},
        ),
        (
            message(chat_id="", phone="+79161234567"),
            {"chatType": "telegram", "phone": "79161234567", "text": "Привет"},
        ),
        (
            message(
                text="", file=OutgoingFile(name="a", media_type="image/png", url="https://example.com/a")
            ),
            {"chatType": "whatsapp", "chatId": "79161234567", "contentUri": "https://example.com/a"},
        ),
    ],
)
def test_what_is_sent_names_channel_chat_and_our_key(sent: OutgoingMessage, told: dict[str, Any]) -> None:
    assert wire.message_json(sent, "c", "tgapi") == {"channelId": "c", "crmMessageId": "k1", **told}


def answer(code: str, words: str = "", status: int = 400) -> HttpAnswer:
    return HttpAnswer(status, {}, orjson.dumps({"error": code, "description": words}))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("BAD_CONTACT", ChannelReason.NO_SUCH_CHAT),
        ("chatNotFound", ChannelReason.NO_SUCH_CHAT),
        ("CHANNEL_NO_MONEY", ChannelReason.NO_MONEY),
        ("channelNoMoney", ChannelReason.NO_MONEY),
        ("BALANCE_IS_EMPTY", ChannelReason.NO_MONEY),
        ("CHANNEL_BLOCKED", ChannelReason.CHANNEL_OFF),
        ("MESSAGES_TOO_LONG_TELEGRAM", ChannelReason.TOO_LONG),
        ("messagesTooLongOfTomorrow", ChannelReason.TOO_LONG),
        ("MESSAGES_CONTENT_SIZE_EXCEEDED_WABA", ChannelReason.FILE_TOO_LARGE),
        ("MESSAGE_DOWNLOAD_CONTENT_ERROR", ChannelReason.FILE_UNREADABLE),
        ("MESSAGES_NOT_TEXT_FIRST", ChannelReason.NOT_WRITTEN_FIRST),
        ("24_HOURS_EXCEEDED", ChannelReason.WINDOW_CLOSED),
        ("MESSAGE_CHANNEL_UNAVAILABLE", ChannelReason.VENDOR_TROUBLE),
        ("REFERENCE_MESSAGE_NOT_FOUND", ChannelReason.QUOTED_UNKNOWN),
        ("WHATEVER_IS_NEW", ChannelReason.BAD_REQUEST),
    ],
)
def test_case_45_a_code_means_the_same_in_both_spellings(code: str, reason: ChannelReason) -> None:
    outcome = wire.parse_sent(answer(code, "words"))
    assert outcome == MessageRefused(reason=reason, vendor_code=code, words="words")


def test_a_code_may_stand_in_the_words() -> None:
    assert reason_of("КОД", "CHANNEL_BLOCKED") is ChannelReason.CHANNEL_OFF


@pytest.mark.parametrize("code", ["REPEATED_CRM_MESSAGE_ID", "repeatedCrmMessageId"])
def test_a_message_that_is_refused_as_a_repetition_was_taken_before(code: str) -> None:
    assert wire.parse_sent(answer(code)) == MessageAccepted(id="")


def test_a_message_into_a_group_went_into_the_chat_that_we_know() -> None:
    taken = HttpAnswer(201, {}, orjson.dumps({"messageId": "w1", "chatId": "120363"}))
    assert wire.parse_sent(taken, "whatsgroup:120363") == MessageAccepted(
        id="w1", chat_id="whatsgroup:120363"
    )
    assert wire.parse_sent(taken) == MessageAccepted(id="w1", chat_id="120363")


def test_what_is_not_known_is_not_known() -> None:
    assert isinstance(wire.parse_sent(answer("UNKNOWN_ERROR_WITH_TRACE_ID")), MessageUnknown)
    assert wire.parse_sent(HttpAnswer(429, {}, b"")) == MessageThrottled(retry_after=5, words="HTTP 429")
    refused = wire.parse_sent(answer("whatever", status=401))
    assert isinstance(refused, MessageRefused)
    assert refused.reason is ChannelReason.BAD_KEY


def test_a_state_that_is_new_is_none_in_which_it_works() -> None:
    assert [state_of(word) for word in ("openElsewhere", "openelsewhere", "soon")] == [
        ChannelState.CONFLICT,
        ChannelState.CONFLICT,
        ChannelState.WAITING,
    ]
