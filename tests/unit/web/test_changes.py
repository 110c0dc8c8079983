"""What was changed is told in words."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import gateway
from gateway.store.admin.audit import AUDIT_KINDS, AuditEntry
from gateway.web.texts.sentences import TEXTS
from gateway.web.users.change_words import ChangeWords
from gateway.web.users.changes import parts_of
from gateway.web.words.words import Words
from routing.texts.catalogue import Language

_NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
_ENTRY: dict[str, Any] = {
    "seq": 1,
    "at": _NOW,
    "account_id": "main",
    "who_kind": "user",
    "who": "olga",
    "door": "pages",
    "address": "",
    "object": "Shop",
}


def _told() -> dict[str, set[str]]:
    """Kinds and actions with which a change is recorded, as constants in the code."""
    found: dict[str, set[str]] = {"what": set(), "action": set()}
    for file in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AuditChange":
                for keyword in node.keywords:
                    if keyword.arg in found and isinstance(keyword.value, ast.Constant):
                        found[keyword.arg].add(str(keyword.value.value))
    return found


@pytest.mark.parametrize("language", TEXTS)
def test_what_is_recorded_is_told_in_words_and_can_be_asked_for(language: Language) -> None:
    told, sentences = _told(), TEXTS[language].sentences
    assert min(len(told["what"]), len(told["action"])) > 15
    assert told["what"] - set(AUDIT_KINDS) == set()
    wanted = [f"audit.kind.{kind}" for kind in AUDIT_KINDS] + [
        f"audit.action.{one}" for one in told["action"]
    ]
    assert [key for key in wanted if key.replace(" ", "_").replace("-", "_") not in sentences] == []


@pytest.mark.parametrize("language", TEXTS)
def test_what_is_recorded_of_changes_has_words(language: Language) -> None:
    """Each constant that a change is recorded with, wherever it stands."""
    found = set()
    for file in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.keyword)
                and node.arg == "action"
                and isinstance(node.value, ast.Constant)
            ):
                found.add(str(node.value.value))
    found = {one for one in found if one and one[0].isalpha() and " " in one} | {"load asked for", "restored"}
    assert len(found) > 5
    sentences = TEXTS[language].sentences
    lack = {a for a in found if f"audit.action.{a.replace(' ', '_').replace('-', '_')}" not in sentences}
    assert lack == set()


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["Anna: not in the channel → reads and writes", "gone: only reads → sees nothing"]),
        ("ru", ["Anna: не в канале → читает и пишет", "gone: только читает → ничего не видит"]),
    ],
)
def test_rights_in_a_channel_are_told_in_words_and_people_by_name(
    language: Language, told: list[str]
) -> None:
    entry = AuditEntry(
        **{**_ENTRY, "what": "channel", "action": "shared"},
        before={"anna": "out", "gone": "read"},
        after={"anna": "send", "gone": "none"},
    )
    words = Words(texts=TEXTS[language], zone=ZoneInfo("Europe/Moscow"), now=_NOW)
    said = ChangeWords(TEXTS[language], words, {"anna": "Anna"}, {})
    assert [f"{p.where}: {p.before} → {p.after}" for p in parts_of(entry, said)] == told


@pytest.mark.parametrize(
    ("language", "told"), [("en", "own ones and those of nobody"), ("ru", "свои и ничьи")]
)
def test_who_sees_dialogues_is_told_in_words(language: Language, told: str) -> None:
    words = Words(texts=TEXTS[language], zone=ZoneInfo("Europe/Moscow"), now=_NOW)
    said = ChangeWords(TEXTS[language], words, {"anna": "Anna"}, {})
    assert said.value("dialogues.visibility", "own") == told
    assert said.value("dialogues.observers", ["anna"]) == "Anna"
