"""What the templates use: tags, classes and attributes, by which a foreign style sheet is cut down."""

from __future__ import annotations

import re
from pathlib import Path

_TAG = re.compile(r"<([a-z][a-z0-9]*)")
_ATTRIBUTE = re.compile(r"\s([a-z][a-z-]*)(?==|\s|>)")
_CLASSES = re.compile(r"""class=(?:"([^"]*)"|'([^']*)')""")
_STRINGS_OF_JINJA = re.compile(r"\{[{%][^}]*?[}%]\}")
_QUOTED = re.compile(r"""["']([^"']*)["']""")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_:-]*")


def used_words(web: Path) -> list[str]:
    words: set[str] = set()
    for path in sorted((web / "templates").rglob("*.html")):
        words |= words_of(path.read_text(encoding="utf-8"))
    return sorted(words)


def words_of(template: str) -> set[str]:
    """Return every word of a template that can be a tag, a class or an attribute; some that are none."""
    words = {*_TAG.findall(template), *_ATTRIBUTE.findall(template)}
    classes = [one or other for one, other in _CLASSES.findall(template)]
    for block in _STRINGS_OF_JINJA.findall(template):
        classes += _QUOTED.findall(block)
    for text in classes:
        words |= set(_WORD.findall(text))
    return words
