"""What a person is told of an account: every trouble once, with what to do, and nothing when all is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from crm.errors import ReconnectNeeded, TroubleName
from gateway.health.account_checks import account_findings
from gateway.health.findings import duration, in_words
from gateway.health.views import AccountStatus
from gateway.store.admin.accounts import BY_HAND, NOT_AUTHORISED
from gateway.store.crm_chats.standing import CrmChatsStanding
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import LANGUAGES, Language

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

WELL: dict[str, Any] = {
    "id": "sales",
    "name": "Sales",
    "url": "https://x.amocrm.ru",
    "time_zone": "Europe/Moscow",
    "state": "on",
    "state_reason": "",
    "state_since": NOW,
    "token": {"kind": "oauth", "expires_at": None, "days_left": 60.0, "warning": None, "message": ""},
    "directory": {
        "is_loaded": True,
        "loaded_at": NOW,
        "in_sync_at": NOW,
        "age_seconds": 12.0,
        "numbers": 5,
        "load": {"done": 5, "kind": None, "is_done": True},
    },
    "feeds": [{"feed": "events", "last_success": NOW, "last_error": None, "last_error_at": None}],
    "crm": {
        "reported_at": NOW,
        "is_served": True,
        "budget": None,
        "circuit": {"name": "closed", "refusals": 0, "reason": ""},
        "writer": None,
        "clock_offset_seconds": 0.5,
    },
    "effects": {"waiting": 1, "sending": 0, "unknown": 0, "held": 0, "dead": 0, "oldest_at": None},
    "inbox": {"pending": 0, "lag_seconds": 0.0, "dead": 0},
    "webhooks": {"last_at": NOW, "applied": 1, "refused": 0, "last_refusal": None, "waiting": 0},
    "unread": {"rows": 0, "by_kind": {}, "first": ""},
    "cases": {"open": 1, "overdue": 0, "closed": 0, "median_seconds": None},
    "backfill": None,
    "people": {"employees": 2, "unmapped": [], "inactive": [], "crm_users_unmapped": [], "senior": "Ольга"},
    "matrix": {"checked_at": NOW, "version": 3, "errors": 0, "warnings": 0, "first": None},
    "connections": [
        {"name": "office", "kind": "generic", "is_on": True, "last_event_at": NOW, "listener": None}
    ],
}


def findings_of(language: Language = "en", **changes: Any) -> list[Any]:
    """changes: a part's name -> values that replace some of its own, or the part as a whole where it is no mapping."""
    body = {
        name: {**value, **changes[name]}
        if isinstance(changes.get(name), dict) and isinstance(value, dict)
        else value
        for name, value in {**WELL, **{k: v for k, v in changes.items() if not isinstance(v, dict)}}.items()
    }
    found = account_findings(AccountStatus.model_validate(body), NOW)
    return [in_words(finding, TEXTS[language]) for finding in found]


def test_an_account_that_is_well_has_nothing_to_do() -> None:
    assert [f for f in findings_of() if not f.is_ok or f.is_warning or f.remedy] == []


@pytest.mark.parametrize(
    ("changes", "what", "is_bad", "message", "remedy"),
    [
        ({"state": "broken", "state_reason": "refused"}, "state", True, "refused", "account add sales"),
        ({"state": "off"}, "state", False, "off since", "account on sales"),
        (
            {"token": {"warning": "expires-soon", "days_left": 3.0}},
            "authorisation",
            False,
            "3 days",
            "account add sales",
        ),
        (
            {"token": {"warning": "expired", "message": "too old"}},
            "authorisation",
            True,
            "too old",
            "account add",
        ),
        ({"directory": {"is_loaded": False}}, "directory", True, "not loaded", "callmatrix sync"),
        ({"directory": {"age_seconds": 900.0}}, "directory", True, "15 min ago", "other lines"),
        (
            {"directory": {"numberless": {"total": 2, "samples": ["contact 7: '8-915-1**-**'"]}}},
            "phone fields",
            False,
            "2 values hold no number that can be read: contact 7",
            "in the CRM",
        ),
        ({"crm": {"is_served": False}}, "CRM", True, "no worker", "serve --role worker"),
        (
            {"crm": {"circuit": {"name": "open", "refusals": 2, "reason": "403"}}},
            "CRM",
            True,
            "403",
            "support",
        ),
        ({"crm": {"clock_offset_seconds": -90.0}}, "clock", False, "-90 s", "time synchronisation"),
        (
            {"webhooks": {"refused": 2, "last_refusal": "odd", "last_refused_at": NOW}},
            "webhooks",
            False,
            "odd",
            "polling",
        ),
        (
            {"webhooks": {"registered_again_at": NOW, "registration_was": "disabled"}},
            "registration of webhooks",
            False,
            "switched off",
            "CALLMATRIX_PUBLIC_URL",
        ),
        (
            {"crm": {"moved_to": "https://new.amocrm.ru"}},
            "CRM",
            True,
            "https://new.amocrm.ru",
            "callmatrix account add sales",
        ),
        (
            {"unread": {"rows": 2, "by_kind": {"user": 2}, "first": "user 7, rights"}},
            "rows of the CRM",
            False,
            "user 7, rights",
            "callmatrix crm unread --account sales",
        ),
        ({"effects": {"dead": 4}}, "effects", True, "4 on the dead-letter desk", "desk list"),
        ({"effects": {"held": 4}}, "effects", False, "4 held back", "backfill --account sales --preview"),
        ({"inbox": {"dead": 1}}, "events", True, "1 could not", "desk list"),
        ({"inbox": {"pending": 9, "lag_seconds": 700.0}}, "events", True, "12 min", "worker"),
        ({"cases": {"overdue": 1}}, "missed calls", False, "1 of them overdue", "cases overdue"),
        ({"people": {"senior": None}}, "senior manager", True, "not set", "is_senior"),
        ({"people": {"employees": 0}}, "employees", True, "none", "config import"),
        (
            {"people": {"unmapped": ["А", "Б", "В", "Г"]}},
            "employees",
            False,
            "А, Б, В and 1 more",
            "crm_user_id",
        ),
        (
            {"matrix": {"errors": 1, "first": "the stage is gone"}},
            "matrix",
            True,
            "the stage is gone",
            "publish",
        ),
        ({"connections": []}, "connections", False, "no PBX", "connection add"),
    ],
)
def test_every_trouble_is_told_with_what_to_do(
    changes: dict[str, Any], what: str, is_bad: bool, message: str, remedy: str
) -> None:
    found = [
        f for f in findings_of(**changes) if f.subject == f"sales {what}" and (f.is_warning or not f.is_ok)
    ]
    assert len(found) == 1
    assert found[0].is_ok is not is_bad
    assert message in found[0].message
    assert remedy in found[0].remedy


def test_what_an_account_that_is_off_does_not_do_is_no_trouble() -> None:
    bad = [
        f
        for f in findings_of(state="off", crm={"is_served": False}, directory={"age_seconds": 9e5})
        if not f.is_ok
    ]
    assert bad == []


@pytest.mark.parametrize(
    ("seconds", "message"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_durations_are_short(seconds: float, message: str) -> None:
    assert TEXTS["en"].render(duration(seconds)) == message


def test_the_same_findings_are_said_in_russian_with_the_noun_in_its_form() -> None:
    found = findings_of("ru", token={"days_left": 3.0, "warning": "expires-soon"}, cases={"overdue": 1})
    said = {f.code: (f.subject, f.message) for f in found}
    assert said["token-expires-soon"] == ("sales: доступ к CRM", "OAuth, осталось 3 дня")
    assert said["cases-overdue"] == ("sales: пропущенные звонки", "открыто: 1, из них просрочено: 1")
    assert [f.code for f in found] == [
        f.code for f in findings_of(token={"days_left": 3.0, "warning": "expires-soon"}, cases={"overdue": 1})
    ]


@pytest.mark.parametrize(
    ("offset", "code", "said"),
    [(-250.0, "pbx-clock-ahead", "4 min ahead"), (300.0, "pbx-clock-behind", "5 min behind")],
)
def test_a_pbx_whose_clock_is_wrong_is_named_while_it_is_on(offset: float, code: str, said: str) -> None:
    office = {**WELL["connections"][0], "clock_offset_seconds": offset}
    (told,) = [f for f in findings_of(connections=[office]) if f.code.startswith("pbx-clock")]
    assert (told.code, told.is_warning, "office" in told.subject) == (code, True, True)
    assert said in told.message
    assert "NTP" in told.remedy
    off = findings_of(connections=[{**office, "is_on": False}])
    assert [f for f in off if f.code.startswith("pbx-clock")] == []


@pytest.mark.parametrize("is_alarm", [False, True])
@pytest.mark.parametrize(
    ("reason", "error", "said"),
    [
        (
            "crm-outcome-unknown",
            "crm-outcome-unknown: POST: no answer",
            "crm-outcome-unknown: POST: no answer",
        ),
        ("crm-unpaid", "crm-refused: no such field", "crm-unpaid: crm-refused: no such field"),
    ],
)
def test_the_code_of_what_holds_the_crm_up_is_said_once(
    reason: str, error: str, said: str, is_alarm: bool
) -> None:
    writer = {
        "reason": reason, "last_error": error, "is_alarm": is_alarm, "last_success": None, "last_error_at": NOW,
        "closed_until": None, "requests_under_way": 0,
    }  # fmt: skip
    [finding] = [f for f in findings_of(crm={"writer": writer}) if f.subject == "sales CRM"]
    assert finding.message == ("" if is_alarm else "in trouble: ") + said


def test_a_webhook_that_could_not_be_read_days_ago_is_no_trouble_any_more() -> None:
    old = {"refused": 2, "last_refusal": "odd", "last_refused_at": NOW - timedelta(days=2)}
    assert all(finding.is_ok for finding in findings_of(webhooks=old))


@pytest.mark.parametrize("state", ["off", "broken"])
def test_since_when_it_is_off_is_told_by_the_clocks_of_the_account(state: str) -> None:
    [found] = [f for f in findings_of(state=state) if "since" in f.message]
    assert "since 2026-03-02 13:00" in found.message


def test_when_a_worker_was_last_seen_is_told_by_the_clocks_of_the_account() -> None:
    [found] = [f for f in findings_of(crm={"is_served": False}) if f.code == "crm-unserved"]
    assert "2026-03-02 13:00" in found.message


@pytest.mark.parametrize("name", get_args(TroubleName))
@pytest.mark.parametrize("said", ["", "invalid_grant"])
def test_why_a_key_is_no_good_is_said_in_the_readers_language(name: TroubleName, said: str) -> None:
    """What the program stored is English; quoted inside a Russian line it says nothing to whoever reads that."""
    stored = str(ReconnectNeeded(name, "sales", said))
    texts = {"ru": TEXTS["ru"].sentences, "en": TEXTS["en"].sentences}
    for language in LANGUAGES:
        found = findings_of(
            language,
            state="broken",
            state_reason=stored,
            token={"warning": "broken", "message": stored},
        )
        told = [f.message for f in found if f.code in ("account-broken", "token-refused")]
        assert len(told) == 2
        for message in told:
            assert texts[language][f"account.reason.{name}"] in message
            assert "Reconnect with" not in message
            assert said in message


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (BY_HAND, ": выключен вручную;"),
        (NOT_AUTHORISED, ": ещё не авторизован;"),
        ("CRM переезжает", ": CRM переезжает;"),
        ("", "03-02 13:00;"),
    ],
)
def test_why_an_account_is_off_is_said_in_the_readers_language(reason: str, says: str) -> None:
    [found] = [f for f in findings_of("ru", state="off", state_reason=reason) if f.code == "account-off"]
    assert says in found.message


@pytest.mark.parametrize("doubt", ["feed_unread", "feed_silent", "beats_lost", "not_watched"])
def test_why_nobody_is_taken_offline_is_said_in_words(doubt: str) -> None:
    for language in LANGUAGES:
        [found] = [f for f in findings_of(language, presence_doubt=doubt) if f.code == "presence-in-doubt"]
        assert TEXTS[language].sentences[f"presence.doubt.{doubt}"] in found.message


@pytest.mark.parametrize(
    ("changes", "is_bad", "message", "remedy"),
    [
        ({"lacks": ["password"]}, True, "lacks password", "sms set texts"),
        (
            {"stop_reason": "no-money", "waiting": 3},
            True,
            "the money at the provider has ended",
            "sms on texts",
        ),
        ({"balance_error": "sms-provider-refused: 2"}, False, "does not tell", "cabinet"),
    ],
)
def test_a_provider_of_sms_that_needs_somebody_is_told(
    changes: dict[str, Any], is_bad: bool, message: str, remedy: str
) -> None:
    provider = {"name": "texts", "kind": "smsc", "is_on": True, "balance": 12.5, "currency": "RUB"}
    [found] = [f for f in findings_of(sms=[{**provider, **changes}]) if "texts" in f.subject]
    assert (found.is_ok, message in found.message, remedy in found.remedy) == (not is_bad, True, True)
    [well] = [f for f in findings_of(sms=[provider]) if "texts" in f.subject]
    assert (well.message, well.remedy) == ("smsc, money left: 12.50 RUB", "")


@pytest.mark.parametrize(
    ("changes", "code", "is_bad", "message"),
    [
        ({"lacks": ["token"]}, "channel-lacks", True, "lacks token"),
        ({"state": "no_money", "state_words": "notEnoughMoney"}, "channel-stopped", True, "pay in (notEnoughMoney)"),
        ({"state": "waiting"}, "channel-waits", False, "the phone behind it cannot be reached"),
        ({"state": "no_money", "is_on": False}, "channel-off", False, "takes no part"),
        ({}, "channel-well", False, "wazzup"),
    ],
)  # fmt: skip
def test_how_a_messenger_channel_fares_is_told(
    changes: dict[str, Any], code: str, is_bad: bool, message: str
) -> None:
    channel = {"id": "c1", "name": "Shop", "kind": "wazzup", "is_on": True, "state_at": NOW}
    [found] = [f for f in findings_of(channels=[{**channel, **changes}]) if "Shop" in f.subject]
    assert (found.code, found.is_ok, message in found.message) == (code, not is_bad, True)


def test_a_time_in_which_nobody_listened_to_a_messenger_is_told_beside_how_it_fares() -> None:
    channel = {"id": "c1", "name": "Shop", "kind": "wazzup", "is_on": True, "state_at": NOW}
    missed = {"gap": (NOW - timedelta(days=3), NOW)}
    found = [f for f in findings_of(channels=[{**channel, **missed}]) if "Shop" in f.subject]
    assert [(f.code, f.is_ok) for f in found] == [("channel-well", True), ("channel-gap", True)]
    assert "from 2026-02-27 13:00 to 2026-03-02 13:00 may be missing" in found[1].message


@pytest.mark.parametrize(
    ("chats", "told"),
    [
        (None, []),
        ({"is_on": False}, [("crm-chats-off", "switched off")]),
        ({"is_on": True}, [("crm-chats-connecting", "being connected")]),
        ({"is_on": True, "is_connected": True}, [("crm-chats-well", "dialogues show")]),
        (
            {"is_on": True, "error": "crm-chat-forbidden: 403"},
            [("crm-chats-failing", "does not take the id or the secret")],
        ),
        ({"is_on": True, "error": "odd: what"}, [("crm-chats-failing", "refused with the code odd")]),
        (
            {"is_on": True, "is_connected": True, "dead": 2},
            [("crm-chats-well", "dialogues show"), ("crm-chats-unshown", "would not show in its chats: 2")],
        ),
    ],
)
def test_how_the_crms_own_chats_fare_is_told_where_they_are_set_up(
    chats: dict[str, Any] | None, told: list[tuple[str, str]]
) -> None:
    standing = CrmChatsStanding(**chats) if chats else None
    found = [f for f in findings_of(crm_chats=standing) if f.code.startswith("crm-chats")]
    assert [f.code for f in found] == [code for code, _ in told]
    assert all(words in f.message for f, (_, words) in zip(found, told, strict=True))
