"""How style sheet, script and sprite are put together: pure, without npm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.web.assets.build import ROOT, hashed
from gateway.web.assets.node import CannotBuild
from gateway.web.assets.scripts import joined, without_remarks
from gateway.web.assets.sprite import sprite
from gateway.web.assets.stylesheet import shorter, stylesheet
from gateway.web.assets.used import words_of


def test_words_of_a_template_are_tags_classes_and_attributes_but_not_its_text() -> None:
    template = """<label class="form-label {{ 'is-wide' if wide else "is-slim" }}" data-bs-theme="x">Name of a dropdown</label>"""
    words = words_of(template)
    assert {"label", "form-label", "is-wide", "is-slim", "data-bs-theme"} <= words
    assert "dropdown" not in words


def test_what_others_wrote_lies_in_a_layer_below_ours() -> None:
    css = stylesheet(
        '@charset "UTF-8";/*! Licence */a{color:red}', ['b { src: url("x.woff2") }'], {"x.woff2": "x.1.woff2"}
    )
    assert css.startswith('@charset "UTF-8";/*! Licence */@layer tabler{a{color:red}}')
    assert 'url("x.1.woff2")' in css


def test_a_style_sheet_is_shortened_without_touching_strings_and_selectors() -> None:
    css = 'a > b :hover {\n  content: "a  ;  b";\n  width: calc(1px + 2px);\n}\n/* remark */ c :focus { color: red; }'
    assert shorter(css) == 'a>b :hover{content:"a  ;  b";width:calc(1px + 2px)}c :focus{color:red}'


def test_modules_become_one_script_with_the_caller_at_its_end() -> None:
    script = joined({"start.js": 'import { a } from "./a.js";\na();\n', "a.js": "export function a() {}\n"})
    assert script == '"use strict";(()=>{\nfunction a() {}\na();\n})();\n'


def test_a_module_that_is_not_there_is_no_part_of_a_script() -> None:
    with pytest.raises(KeyError):
        joined({"start.js": 'import { a } from "./a.js";\n'})


@pytest.mark.parametrize("said", ["const twice = 1;", "async function twice() {}", "export let twice;"])
def test_one_name_declared_by_two_modules_is_refused_since_a_browser_would_run_neither(said: str) -> None:
    modules = {"a.js": "export function twice() {}\n", "b.js": f"{said}\n", "start.js": ""}
    with pytest.raises(ValueError, match=r"a\.js and b\.js both declare 'twice'"):
        joined(modules)


def test_remarks_leave_a_script_but_addresses_stay() -> None:
    assert without_remarks('// why\nconst a = "http://x"; // here\n') == 'const a = "http://x"; // here\n'


def test_a_sprite_has_each_icon_once_and_refuses_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "outline").mkdir()
    (tmp_path / "outline/phone.svg").write_text(
        '<svg class="x">\n  <path stroke="none" d="M0 0h24v24H0z" fill="none" />\n<path d="M1 1"/></svg>'
    )
    made = sprite(tmp_path, ["phone", "phone"])
    assert made.count("<symbol ") == 1
    assert 'id="phone"' in made
    assert made.count("<path") == 1
    assert 'd="M1 1"' in made
    with pytest.raises(CannotBuild, match="'phone-filled'"):
        sprite(tmp_path, ["phone-filled"])


def test_a_name_changes_with_the_content() -> None:
    assert hashed("app.css", b"a") != hashed("app.css", b"b")
    assert hashed("app.css", b"a").startswith("app.")
    assert hashed("app.css", b"a").endswith(".css")


def test_the_lock_of_npm_pins_hashes_and_names_no_place_to_fetch_from() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    others = {name: package for name, package in packages.items() if name}
    assert others
    assert [
        name for name, package in others.items() if "resolved" in package or "integrity" not in package
    ] == []
