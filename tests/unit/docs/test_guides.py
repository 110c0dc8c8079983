"""Guides are short, there are as many in each language, and each picture that is taken is shown and light enough."""

from __future__ import annotations

import re

import pytest

from tests.paths import ROOT
from tests.pictures.shots import SHOTS

GUIDES, PICTURES = ROOT / "docs/guides", ROOT / "docs/pictures"
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
_MOST_BYTES, _MOST_OF_ALL = 61_000, 6_000_000
_TAKEN = sorted(f"{language}/{shot.name}.webp" for shot in SHOTS for language in shot.languages)


def test_each_task_has_a_guide_in_both_languages() -> None:
    russian, english = ({file.name for file in (GUIDES / language).glob("*.md")} for language in ("ru", "en"))
    assert russian == english
    contents = (GUIDES / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(english) if f"en/{name}" not in contents] == []


@pytest.mark.parametrize("file", sorted(GUIDES.glob("*/*.md")), ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_guide_is_one_page_with_pictures_of_its_language(file: object) -> None:
    text = file.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    language = file.parent.name  # type: ignore[attr-defined]
    shown = _PICTURE.findall(text)
    assert shown
    assert len(text.splitlines()) <= 60
    assert all(said for said, _ in shown)
    assert {path.split("/")[-2] for _, path in shown} == {language}


def test_the_gallery_shows_every_picture_and_there_is_no_other() -> None:
    gallery = (GUIDES / "pictures.md").read_text(encoding="utf-8")
    assert sorted(path.removeprefix("../pictures/") for _, path in _PICTURE.findall(gallery)) == _TAKEN
    assert sorted(str(file.relative_to(PICTURES)) for file in PICTURES.glob("*/*")) == _TAKEN


def test_pictures_are_light() -> None:
    sizes = {file.name: file.stat().st_size for file in PICTURES.glob("*/*")}
    assert {name: size for name, size in sizes.items() if size > _MOST_BYTES} == {}
    assert sum(file.stat().st_size for file in PICTURES.glob("*/*")) <= _MOST_OF_ALL
