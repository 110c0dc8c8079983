"""Whatever a page can be told is wrong has one sentence, one action and the page that mends it, in both languages."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import gateway
from gateway.health.findings import about, bad, warning
from gateway.texts.sentences import TEXTS as GATEWAY_TEXTS
from gateway.web.now.mending import MENDED_AT
from gateway.web.now.strips import strips_of
from gateway.web.texts.sentences import TEXTS
from gateway.web.words.words import Words
from routing.texts.catalogue import LANGUAGES, Language
from tests.unit.texts.test_catalogues import placeholders

WORDS = Words(texts=TEXTS["ru"], zone=ZoneInfo("Europe/Moscow"), now=datetime(2026, 11, 29, 9, 0, tzinfo=UTC))
HEALTH = Path(gateway.__file__).parent / "health"
BEFORE_THE_DATABASE = frozenset(
    {
        "alerts-channel-unset", "alerts-in-the-clear", "clock-differs", "crm-refuses", "crm-silent", "lease-held",
        "public-url-invalid", "public-url-plain", "public-url-unset", "redis-unreachable", "schema-old",
        "secrets-key-unusable",
    }
)  # fmt: skip
"""Of settings, the database and what only `callmatrix check` asks itself: no page is told of them."""
NEVER_ON_A_PAGE = re.compile(
    r"callmatrix|webhook|вебхук|inbox|payload|lease|null|\bID\b|_|!|пожалуйста|успешно"
)


def codes() -> set[str]:
    found = set()
    for file in HEALTH.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_finding = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_finding and node.func.id in ("warning", "bad") and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                found.add(str(node.args[0].value))  # type: ignore[attr-defined]
    return {code for code in found if not code.startswith("database-")} - BEFORE_THE_DATABASE


def test_every_finding_that_a_page_is_told_of_is_mended_somewhere() -> None:
    assert set(MENDED_AT) == codes()
    assert all(path.startswith("/") for path in MENDED_AT.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_a_sentence_and_an_action(language: Language) -> None:
    sentences = TEXTS[language].sentences
    for code in codes():
        sentence, do = sentences[f"now.finding.{code}"], sentences[f"now.finding.{code}.do"]
        assert sentence.endswith("."), code
        assert not do.endswith("."), code
        assert not NEVER_ON_A_PAGE.search(re.sub(r"\{.*?\}", "", f"{sentence} {do}")), code


def test_sentences_ask_for_no_more_than_the_finding_has() -> None:
    """Beside its own values it has those of whose line it is: the account, the name of a connection."""
    given = {"account", "name"}
    for code in codes():
        told = GATEWAY_TEXTS["en"].sentences
        own = (
            placeholders(told[f"finding.{code}"]).keys() | placeholders(told[f"finding.{code}.remedy"]).keys()
        )
        for language in LANGUAGES:
            asked = placeholders(TEXTS[language].sentences[f"now.finding.{code}"]).keys()
            assert asked <= own | given, code


def test_the_worst_stands_first_and_a_tile_is_not_said_again() -> None:
    what = about("connection", account="main", name="MANGO")
    found = strips_of(
        [
            warning("pbx-clock-ahead", what, by="5 s"),
            warning(
                "cases-overdue", about("missed-calls", account="main"), open=5, overdue=2, account="main"
            ),
            bad("connection-link-down", what, kind="ami", address="10.0.0.1", error="refused"),
        ],
        WORDS,
    )
    assert [(one.code, one.tone) for one in found] == [
        ("connection-link-down", "bad"),
        ("pbx-clock-ahead", "warn"),
    ]
    assert TEXTS["ru"].render(found[0].sentence) == "АТС «MANGO»: нет связи."
    assert TEXTS["en"].render(found[1].sentence) == "The clock of the PBX “MANGO” is 5 s ahead."


def test_a_moment_is_written_as_on_every_page() -> None:
    what = about("account", account="main")
    off = warning("account-off", what, since="2026-11-27 18:46", reason="", account="main")
    [strip] = strips_of([off], WORDS)
    assert strip.sentence.values["since"] == "27\N{NO-BREAK SPACE}ноября, 18:46"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_crm_did_not_take_is_named_without_codes(language: Language) -> None:
    told = "status_id: NotSupportedChoice (3), custom_fields_values[0].field_id: NotSupportedChoice (1), zzz: Odd-1"
    finding = warning("values-left-out", about("effects", account="main"), names=told)
    words = Words(texts=TEXTS[language], zone=WORDS.zone, now=WORDS.now)
    [strip] = strips_of([finding], words)
    said = TEXTS[language].render(strip.sentence)
    expected = {
        "ru": "этап (3), дополнительное поле (1), другое поле",
        "en": "stage (3), custom field (1), another field",
    }
    assert expected[language] in said, said
    assert "_" not in said


def test_what_reads_alike_stands_on_a_page_once() -> None:
    failing = [
        warning("feed-failing", about("feed", feed=feed), error=feed, at="2026-03-02 10:00")
        for feed in ("delta", "events", "unsorted")
    ]
    assert [
        strip.code
        for strip in strips_of([*failing, warning("matrix-problems", about("matrix"), count=1)], WORDS)
    ].count("feed-failing") == 1
