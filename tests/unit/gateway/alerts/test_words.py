"""What a person reads: in the account's language, complete for every kind, with what to do, and without whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from crm.errors import CrmError
from gateway.alerts.observe import Facts
from gateway.alerts.words import PAGES, AlertPlace, alert_text
from gateway.pbx.asterisk.link import AmiLost
from gateway.pbx.port import WireInvalid
from gateway.store.admin.accounts import Account
from gateway.texts.sentences import TEXTS
from routing.alerts import ALERT_KINDS, AlertCause, AlertKind, AlertWord
from routing.settings import AccountSettings
from routing.texts.catalogue import LANGUAGES, Language
from tests.paths import ROOT

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
FACTS: dict[AlertKind, dict[str, str | int]] = {
    "crm-broken": {"reason": "expired", "held": 7},
    "token-expires": {"days": 3},
    "writer-stopped": {"why": "failing", "error": "crm-unavailable: 502", "waiting": 12},
    "pbx-link-down": {"pbx": "asterisk", "address": "10.0.0.5:5038", "error": "ConnectionRefusedError"},
    "pbx-silent": {"pbx": "mango", "heard_at": "2026-03-02T05:00:00+00:00"},
    "desk-full": {"count": 11},
    "deals-waiting": {"count": 2},
    "trigger-circles": {"trigger": "call back", "deal": "7", "count": 2},
    "calls-refused": {"error": "no-money: 2240", "waiting": 3},
    "calls-unknown": {"count": 2},
    "sms-stopped": {"stopped_by": "no-money", "waiting": 3},
    "channel-stopped": {"channel": "Shop", "fares": "no_money"},
    "crm-chats-failing": {"chats": "crm-chat-forbidden: 403"},
    "workers-missing": {},
    "backfill-ended": {"state": "done", "calls": 40, "done": 70, "dead": 1},
}


QUOTES = ("error", "reason")


def sales(language: Language) -> Account:
    return Account(
        id="sales",
        name="Продажи",
        crm_kind="amocrm",
        base_url="https://x.amocrm.ru",
        time_zone="Asia/Yekaterinburg",
        region="RU",
        state="on",
        state_reason="",
        state_since=NOW,
        settings=AccountSettings(language=language),
        webhook_secret="s",
        staff_version=1,
    )


def text_of(
    kind: AlertKind, word: AlertWord, language: Language, facts: Facts | None = None
) -> tuple[str, str]:
    cause = AlertCause(kind=kind, account_id="sales", object="office")
    place = AlertPlace(account=sales(language), language=language, url="https://calls.example.com")
    text = alert_text(cause, word, facts or FACTS[kind], place, began_at=NOW - timedelta(hours=3), now=NOW)
    return text.subject, text.body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", get_args(AlertWord))
@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_every_kind_has_its_words(kind: AlertKind, word: AlertWord, language: Language) -> None:
    subject, body = text_of(kind, word, language)
    assert "Продажи" in subject
    assert "https://calls.example.com" in body
    assert not {"{", "}"} & set(subject + body)
    if word == "begun":
        assert PAGES[kind] in body
        assert ("Что делать" if language == "ru" else "What to do") in body


def test_times_are_the_accounts_own() -> None:
    assert "2026-03-02 12:00 (Asia/Yekaterinburg)" in text_of("crm-broken", "begun", "ru")[1]
    assert "2026-03-02 10:00 (Asia/Yekaterinburg)" in text_of("pbx-silent", "begun", "en")[1]


def test_what_others_said_in_their_language_is_not_quoted() -> None:
    for kind, facts in FACTS.items():
        told = {
            **facts,
            **{n: f"{v}: the key +7 916 123-45-67 is no more" for n, v in facts.items() if n in QUOTES},
        }
        for language in LANGUAGES:
            body = text_of(kind, "begun", language, told)[1]
            assert "no more" not in body, (kind, language)
            assert "123-45" not in body
    assert (
        "CRM не отвечает или отвечает сбоем, crm-unavailable" in text_of("writer-stopped", "begun", "ru")[1]
    )
    assert "никто не слушает" in text_of("pbx-link-down", "begun", "ru")[1]
    assert "срок его действия истёк" in text_of("crm-broken", "begun", "ru")[1]


def _kinds_of(root: type[BaseException]) -> set[type[BaseException]]:
    return {root}.union(*map(_kinds_of, root.__subclasses__()))


def test_every_error_that_can_stop_writing_or_a_link_has_words() -> None:
    codes = {kind.code for root in (CrmError, AmiLost, WireInvalid) for kind in _kinds_of(root)}  # type: ignore[attr-defined]
    assert len(codes) >= 16
    for language in LANGUAGES:
        assert {code for code in codes if f"alert.fault.{code}" not in TEXTS[language].sentences} == set()


def test_the_end_says_how_long_it_lasted() -> None:
    assert "3 h" in text_of("writer-stopped", "over", "en")[1]


def test_an_account_without_a_name_for_its_alarm_is_the_installation() -> None:
    place = AlertPlace(account=None, language="en", url="http://127.0.0.1:8080")
    text = alert_text(AlertCause(kind="workers-missing"), "begun", {}, place, began_at=NOW, now=NOW)
    assert "installation" in text.subject


@pytest.mark.parametrize("kind", ALERT_KINDS)
def test_the_page_that_an_alarm_names_has_that_heading(kind: AlertKind) -> None:
    file, _, anchor = PAGES[kind].partition("#")
    headings = [
        line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line.startswith("#")
    ]
    anchors = {line.lstrip("# ").lower().replace(" ", "-") for line in headings}
    assert not anchor or anchor in anchors
