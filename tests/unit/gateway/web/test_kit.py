"""The macros of the kit: every one can be drawn, in both languages, and none carries what the pages' security policy refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.web.kit.examples import examples
from gateway.web.texts.kit import english, russian
from routing.texts.catalogue import Language, Texts
from tests.paths import ROOT

TEMPLATES = ROOT / "gateway/web/templates"
STATIC = ROOT / "gateway/web/static"
ICONS = frozenset((STATIC / "icons.txt").read_text().split())
SENTENCES: Mapping[Language, Mapping[str, str]] = {"ru": russian.SENTENCES, "en": english.SENTENCES}
_NOT_ALLOWED = re.compile(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]* src=)")
_TRUSTED = re.compile(r"\|\s*safe\b")
_CYRILLIC = re.compile(r"[А-Яа-яЁё]{2,}")
_ICON = re.compile(r"""icon\("([a-z0-9-]+)\"""")
_CLASSES = re.compile(r'class="([^"]*)"')
_OF_JINJA = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)


def templates() -> list[Path]:
    return sorted(TEMPLATES.rglob("*.html"))


def drawn(template: str, language: Language = "ru", **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def icon(name: str, label: str = "") -> Markup:
        assert name in ICONS, name
        return Markup('<svg aria-label="{}"></svg>').format(label)

    values |= {"t": Texts(language, SENTENCES[language]).say, "icon": icon, "who": SimpleNamespace(csrf="x")}
    return environment.from_string(template).render(**values)


def one(macro: str, home: str, arguments: str, **values: Any) -> str:
    return drawn(
        '{% from "kit/' + home + '.html" import ' + macro + " with context %}{{ " + macro + arguments + " }}",
        **values,
    )


def test_what_the_security_policy_refuses_stands_in_no_template() -> None:
    found = []
    for path in templates():
        text = path.read_text()
        hits = [*_NOT_ALLOWED.findall(_OF_JINJA.sub("", text)), *_TRUSTED.findall(text)]
        found += [f"{path.name}: {hit}" for hit in hits]
    assert found == []


def test_sentences_stand_in_catalogues_and_in_no_template() -> None:
    without_remarks = {
        path: re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL) for path in templates()
    }
    assert [
        f"{path.name}: {hit}" for path, text in without_remarks.items() for hit in _CYRILLIC.findall(text)
    ] == []


def test_every_icon_that_is_named_is_drawn() -> None:
    named = {(path.name, name) for path in templates() for name in _ICON.findall(path.read_text())}
    assert sorted((where, name) for where, name in named if name not in ICONS) == []


def test_every_icon_that_code_names_is_drawn() -> None:
    """Arguments called icon, and values of tables called …ICON…."""
    named = set()
    for path in (ROOT / "gateway/web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg in ("icon", "icon_name"):
                named |= {(path.name, text) for text in _literals(node.value)}
            if isinstance(node, ast.Assign | ast.AnnAssign) and "ICON" in ast.unparse(node).partition("=")[0]:
                value = node.value
                values = value.values if isinstance(value, ast.Dict) else [value]
                named |= {
                    (path.name, text) for part in values if part is not None for text in _literals(part)
                }
    assert named
    assert sorted((where, name) for where, name in named if name and name not in ICONS) == []


def _literals(node: ast.expr) -> set[str]:
    """Texts that it can come to: itself, or those of either side of a condition."""
    if isinstance(node, ast.IfExp):
        return _literals(node.body) | _literals(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_every_class_of_ours_has_rules() -> None:
    rules = set(re.findall(r"\.(cm-[a-z0-9-]+)", "".join(path.read_text() for path in STATIC.rglob("*.css"))))
    used = set()
    for path in templates():
        for classes in _CLASSES.findall(_OF_JINJA.sub(" ", path.read_text())):
            used |= {
                (path.name, word)
                for word in classes.split()
                if word.startswith("cm-") and not word.endswith("-")
            }
    assert sorted((where, word) for where, word in used if word not in rules) == []


def test_the_kit_speaks_both_languages() -> None:
    assert english.SENTENCES.keys() == russian.SENTENCES.keys()


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_sentence_of_the_kit_is_used(language: Language) -> None:
    files = [*templates(), *(ROOT / "gateway/web/kit").glob("*.py")]
    text = "".join(path.read_text() for path in files)
    names = {key: key.removeprefix("kit.example.") for key in SENTENCES[language]}
    keys = [
        key for key, name in names.items() if name.removesuffix("_text").removesuffix("_step") not in text
    ]
    keys = [key for key in keys if not key.startswith("kit.difference_")]
    assert keys == []


def test_a_field_says_its_error_and_its_hint_to_who_does_not_see_them() -> None:
    html = one("field", "fields", '("name", "Name", hint="Any", error="Empty")')
    assert 'aria-invalid="true" aria-describedby="name-error name-hint"' in html
    assert 'id="name-error"' in html
    assert 'for="name"' in html


def test_a_field_without_an_error_is_not_invalid() -> None:
    html = one("field", "fields", '("name", "Name")')
    assert "aria-invalid" not in html
    assert "aria-describedby" not in html


def test_values_are_text() -> None:
    html = one("field", "fields", '("name", "Name", value=value)', value='"><script>')
    assert "<script>" not in html


def test_options_may_be_grouped_and_the_chosen_one_is_marked() -> None:
    html = one(
        "select", "fields", '("s", "Stage", [("", "any"), ("Sales", [("1", "New"), ("2", "Won")])], "2")'
    )
    assert '<optgroup label="Sales">' in html
    assert re.findall(r'<option value="([^"]*)" selected>', html) == ["2"]


@pytest.mark.parametrize(
    ("name", "expected"), [("Ли Чжао", "ЛЧ"), ("мария", "М"), ("Менеджер 7", "М7"), ("", "—")]
)
def test_initials_of_a_name(name: str, expected: str) -> None:
    assert one("initials", "parts", "(name)", name=name).strip() == expected


def test_a_person_who_is_switched_off_is_struck_and_says_so() -> None:
    html = one("person", "parts", '("Ли Чжао", 7, is_off=true)')
    assert "cm-person-off" in html
    assert "отключён" in html
    assert "cm-tone-1" in html


def test_a_stage_has_the_colour_of_the_crm_and_else_none() -> None:
    assert 'fill="#98cbff"' in one("stage", "parts", '("New", "#98cbff")')
    assert "fill=" not in one("stage", "parts", '("New", "url(x)")')


def test_a_long_decision_folds_its_middle() -> None:
    steps = [
        SimpleNamespace(icon="hash", title=f"step-{at}", text="", verdict="", kind="", candidates=())
        for at in range(12)
    ]
    html = one("trace", "stories", "(steps)", steps=steps)
    assert "ещё 6 шагов" in html
    assert (
        html.index("step-2")
        < html.index("<details>")
        < html.index("step-3")
        < html.index("</details>")
        < html.index("step-9")
    )


def test_a_short_decision_is_whole() -> None:
    steps = [
        SimpleNamespace(
            icon="hash", title="a", text="", verdict="", kind="decided", candidates=[("B", "no", "")]
        )
    ]
    html = one("trace", "stories", "(steps)", steps=steps)
    assert "<details>" not in html
    assert "cm-step-decided" in html


def test_a_question_before_a_step_has_the_focus_on_the_safe_answer() -> None:
    html = one("confirm", "controls", '("stop", "Stop?", "144 stay.", "/stop", "Stop")')
    assert re.search(r"<button[^>]*data-close autofocus>", html)
    assert 'name="csrf" value="x"' in html


def test_progress_of_what_is_not_counted_yet_has_no_value() -> None:
    assert "value=" not in one("progress", "panels", '(0, none, "Load")')
    assert 'value="3" max="10"' in one("progress", "panels", '(3, 10, "Load")')


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_components_page_can_be_drawn(language: Language) -> None:
    """Without the frame: its blocks alone."""
    say = Texts(language, SENTENCES[language]).say
    page = (TEMPLATES / "kit/page.html").read_text().replace('{% extends "frame/page.html" %}', "")
    words = SimpleNamespace(decimal=lambda value: str(value), clock=lambda at: "14:32")
    html = drawn(page, language, words=words, **examples(lambda key: say(f"kit.example.{key}")))
    assert html.count("<section") > 10
    assert "None" not in html
