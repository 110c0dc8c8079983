"""What was changed is told in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

import gateway
from campaigns.model import CampaignSettings
from gateway.store.admin.audit import AUDIT_KINDS, AuditEntry
from gateway.web.texts.sentences import TEXTS
from gateway.web.users.change_words import ChangeWords
from gateway.web.users.changes import parts_of
from gateway.web.words.words import Words
from routing.dialogues.rules import ChannelRules
from routing.distribution.template import DistributionTemplate
from routing.schedules.model import Schedule, WorkPlan
from routing.shift_change.policy import ShiftPolicy
from routing.staff import Employee
from routing.texts.catalogue import Language
from routing.triggers.model import Trigger

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


_SAID = ("_seen", "_said", "_shown", "_standing", "_described")


def _recorded() -> set[str]:
    """Names of fields in what is recorded, where the code writes them down."""
    found = set()
    for file in Path(gateway.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "AuditChange(" not in text or "admin" not in file.parts:
            continue
        for node in ast.walk(ast.parse(text)):
            is_told = isinstance(node, ast.FunctionDef) and node.name in _SAID
            is_told |= isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in (
                "said",
                "told",
                "seen",
            )
            is_told |= isinstance(node, ast.keyword) and node.arg in ("before", "after")
            for inner in ast.walk(node) if is_told else ():
                if isinstance(inner, ast.Dict):
                    found |= {str(key.value) for key in inner.keys if isinstance(key, ast.Constant)}
    return found


@pytest.mark.parametrize("language", TEXTS)
def test_every_field_that_the_code_names_in_a_record_has_a_word(language: Language) -> None:
    assert len(_recorded()) > 25
    sentences = TEXTS[language].sentences
    assert {name for name in _recorded() if f"audit.field.{name}" not in sentences} == set()


def _parts(model: type[BaseModel], found: dict[type[BaseModel], None]) -> Iterator[tuple[str, str]]:
    """(field, code) of this model and those within it; "" where the field has no choices."""
    if model in found:
        return
    found[model] = None
    for name, field in model.model_fields.items():
        yield name, ""
        yield from _of_type(name, field.annotation, found)


def _of_type(name: str, kind: Any, found: dict[type[BaseModel], None]) -> Iterator[tuple[str, str]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from _parts(kind, found)
    for part in get_args(kind):
        if get_origin(kind) is Literal:
            yield name, str(part)
        elif not isinstance(part, str | int | float):
            yield from _of_type(name, part, found)


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize(
    ("what", "model"),
    [
        ("template", DistributionTemplate),
        ("trigger", Trigger),
        ("campaign", CampaignSettings),
        ("shift change", ShiftPolicy),
        ("schedule", Schedule),
        ("schedule", WorkPlan),
        ("channel", ChannelRules),
        ("employee", Employee),
    ],
)
def test_every_field_of_what_people_set_up_has_a_word_and_so_has_every_choice(
    language: Language, what: str, model: type[BaseModel]
) -> None:
    sentences = TEXTS[language].sentences
    named = {*_parts(model, {})}
    assert len(named) > 8
    wanted = {f"audit.value.{field}.{code}" if code else f"audit.field.{field}" for field, code in named}
    assert {key for key in wanted if key not in sentences} == set()


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            [
                "employees: employee: Anna, weight: 2; employee: Gleb, weight: 1",
                "if nobody can: what to do: give to the named employee, employee: Anna",
                "client who is somebody's already: is looked for: by contacts",
                "pipelines: Sales",
            ],
        ),
        (
            "ru",
            [
                "сотрудники: сотрудник: Anna, вес: 2; сотрудник: Gleb, вес: 1",
                "если отдать некому: что сделать: отдать названному сотруднику, сотрудник: Anna",
                "клиент, у которого уже есть сотрудник: ищется: по контактам",
                "воронки: Sales",
            ],
        ),
    ],
)
def test_a_template_that_was_made_is_told_without_codes_and_without_what_is_not_set(
    language: Language, told: list[str]
) -> None:
    entry = AuditEntry(
        **{**_ENTRY, "what": "template", "action": "added"},
        before=None,
        after={
            "employees": [{"employee_id": "a", "weight": 2}, {"employee_id": "g", "weight": 1}],
            "window": None,
            "quiet_hours": [],
            "nobody": {"do": "fallback", "employee_id": "a"},
            "repeat": {"by": "contacts", "exclusions": []},
            "pipelines": ["7"],
        },
    )
    words = Words(texts=TEXTS[language], zone=ZoneInfo("Europe/Moscow"), now=_NOW)
    said = ChangeWords(TEXTS[language], words, {"a": "Anna", "g": "Gleb"}, {}, {"7": "Sales"})
    assert [f"{part.where}: {part.after}" for part in parts_of(entry, said)] == told
    assert said.value("role", "read_only") == TEXTS[language].say("shell.role.read_only")
