"""What becomes of an item is said in words, in both languages: never by its code."""

from __future__ import annotations

import pytest

from gateway.admin.outbound.items import reason_in_words
from gateway.store.outbound.items import OutboundKind, OutboundState
from gateway.texts.sentences import TEXTS
from routing.outbound_ending import ITEM_REASONS
from routing.texts.catalogue import Language
from sms.reasons import SmsDoubt, SmsReason
from sms.recipients import SkipReason

REASONS = {
    "callback": ITEM_REASONS,
    "sms": (*ITEM_REASONS, *SmsReason, *SmsDoubt, *SkipReason),
}


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("kind", REASONS)
def test_every_reason_has_words(kind: OutboundKind, language: Language) -> None:
    said = {reason: reason_in_words(kind, "failed", reason, TEXTS[language]) for reason in REASONS[kind]}
    assert [reason for reason, words in said.items() if words == reason] == []


@pytest.mark.parametrize(
    ("state", "words"), [("waiting", "до него ещё не дошли"), ("sending", "отправляется")]
)
def test_without_a_reason_the_state_says_it(state: OutboundState, words: str) -> None:
    assert reason_in_words("sms", state, "", TEXTS["ru"]) == words


def test_a_text_that_arrived_is_told_so() -> None:
    assert reason_in_words("sms", "succeeded", "delivered", TEXTS["ru"]) == "доставлено"
