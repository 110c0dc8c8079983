"""Whoever may set nothing up is told whom to ask, where others are told what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gateway.web.texts.sentences import FOR_OTHERS, TEXTS
from routing.texts.catalogue import LANGUAGES, Language
from sms.channels.reasons import FAILURE_OF, ChannelFailure, ChannelState
from sms.reasons import CLASS_OF, FailureClass

_PLACE = re.compile(r"\{[^}]*\}")
_MARK = ".for-others"
_WHO: dict[Language, str] = {"ru": "отвечает за систему", "en": "whoever looks after the installation"}


def _that_order_somebody() -> Iterator[str]:
    yield from (f"channel.reason.{r}" for r, whose in FAILURE_OF.items() if whose is ChannelFailure.OURS)
    yield from (f"sms.reason.{r}" for r, whose in CLASS_OF.items() if whose is FailureClass.ACCOUNT)
    yield from (f"channel.state.{s}" for s in ChannelState if s not in ("active", "waiting"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stops_until_somebody_has_acted_names_whoever_can(language: Language) -> None:
    told = {key: FOR_OTHERS[language].say(key) for key in _that_order_somebody()}
    assert told
    assert [key for key, said in told.items() if _WHO[language] not in said] == []
    assert [key for key in told if _WHO[language] in TEXTS[language].say(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_for_others_stands_beside_one_with_the_same_values(language: Language) -> None:
    """With others it would be said without them, or fail."""
    told = TEXTS[language].sentences
    beside = [key for key in told if key.endswith(_MARK)]
    assert len(beside) > 20
    wrong = [
        k
        for k in beside
        if not set(_PLACE.findall(told[k])) <= set(_PLACE.findall(told[k.removesuffix(_MARK)]))
    ]
    assert wrong == []
    assert {key for key in told if told[key] != FOR_OTHERS[language].sentences[key]} == {
        key.removesuffix(_MARK) for key in beside
    }
