"""The sandbox's own form: what it says is read, one that cannot be read costs no other, and whoever speaks is judged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from runtime.vendors.http import HttpAnswer
from sms.channels.model import MessageTold, UnreadTold
from sms.channels.port import MessengerChannel
from sms.channels.reasons import ChannelReason
from sms.channels.sandbox import wire
from sms.channels.sandbox.adapter import SandboxChannelKind
from sms.channels.sending import (
    MessageAccepted,
    MessageRefused,
    MessageThrottled,
    OutgoingMessage,
    SendOutcome,
)
from sms.channels.stored import update_as_json
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound
from tests.fakes.channels.sandbox import body_of, client_message, signed_headers
from tests.paths import ROOT

CASES = json.loads((ROOT / "tests" / "cases" / "channels" / "sandbox.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
KIND = SandboxChannelKind()
SIGNED = MessengerChannel(account_id="1", id="1", name="x", kind="sandbox", keys={"signing_secret": "hush"})
OPEN = MessengerChannel(account_id="1", id="1", name="x", kind="sandbox")


def asked(body: bytes = b"", *, at: float = NOW.timestamp(), secret: str = "hush") -> SmsInbound:
    headers = signed_headers(secret, body, at)
    return SmsInbound(method="POST", path="", query={}, headers=headers, body=body, received_at=NOW)


def test_what_cannot_be_read_costs_none_of_its_neighbours() -> None:
    bad = {**client_message("2"), "parts": [{"kind": "smell"}]}
    news = wire.parse_news(body_of([client_message("1"), bad, client_message("3")]))
    first, unread, last = news.updates
    assert isinstance(first, MessageTold)
    assert isinstance(last, MessageTold)
    assert isinstance(unread, UnreadTold)
    assert (unread.field, orjson.loads(unread.raw)) == ("parts.0.kind", {"updates": [bad]})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_a_body_means_what_its_file_says(case: dict[str, Any]) -> None:
    news = wire.parse_news(orjson.dumps(case["body"]))
    assert [update_as_json(update)["told"] for update in news.updates] == case["told"]
    assert [update_as_json(update) for update in news.updates] == case["body"]["updates"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"updates": 1}', b"\xff"])
def test_a_body_that_says_nothing_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(SmsWireInvalid):
        wire.parse_news(body)


def test_case_47_a_request_with_our_signature_is_genuine_and_others_are_not() -> None:
    body = body_of([client_message("1", text="Ещё 😀")])
    assert KIND.is_genuine(asked(body), SIGNED) is True
    assert KIND.is_genuine(asked(body, secret="other"), SIGNED) is False
    assert KIND.is_genuine(asked(body), OPEN) is None


def test_case_47_a_signed_request_that_is_older_than_a_quarter_of_an_hour_is_a_replay() -> None:
    at = NOW.timestamp()
    told = [KIND.is_genuine(asked(b"{}", at=at + seconds), SIGNED) for seconds in (-900, -901, 900, 901)]
    assert told == [True, False, True, False]


def test_a_handshake_gives_the_challenge_back_and_nothing_that_a_page_could_be_made_of() -> None:
    def answered(query: dict[str, str], method: str = "GET") -> tuple[int, bytes] | None:
        request = SmsInbound(method=method, path="", query=query, headers={}, body=b"", received_at=NOW)
        answer = KIND.handshake(request, OPEN)
        return (answer.status, answer.body) if answer else None

    assert answered({"challenge": "abc1"}) == (200, b"abc1")
    assert answered({"challenge": "abc1"}, "POST") is None
    said = answered({"challenge": "<b>"})
    assert said is not None
    assert said[0] == 400


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"id": "s1", "chat_id": "7"}, MessageAccepted(id="s1", chat_id="7")),
        (200, {}, MessageAccepted(id="")),
        (403, {"reason": "blocked", "words": "no"}, MessageRefused(reason=ChannelReason.BLOCKED, words="no")),
        (429, {"retry_after": 3, "of_chat": True}, MessageThrottled(retry_after=3, of_chat=True)),
        (429, {}, MessageThrottled(retry_after=1)),
    ],
)
def test_an_answer_is_an_outcome(status: int, body: dict[str, object], outcome: SendOutcome) -> None:
    assert wire.parse_sent(HttpAnswer(status, {}, orjson.dumps(body))) == outcome


def test_what_is_sent_says_what_is_set_only() -> None:
    told = wire.message_json(OutgoingMessage(key="k1", chat_id="7", text="Hi"))
    assert told == {"key": "k1", "chat_id": "7", "text": "Hi"}
