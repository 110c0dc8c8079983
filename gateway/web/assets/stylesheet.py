"""One style sheet: what is left of Tabler in a layer below, our own above it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_REMARK = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
_IMPORTANT_REMARK = re.compile(r"/\*!.*?\*/", re.DOTALL)
_CHARSET = re.compile(r'@charset "[^"]*";?')
_SPACES = re.compile(r"\s+")
_AROUND = re.compile(r"\s*([{};,>])\s*")
_AFTER_COLON = re.compile(r"(?<=[a-z-]):\s+")
_STRING = re.compile(r'"[^"\n]*"')


def stylesheet(tabler: str, own: Sequence[str], fonts: Mapping[str, str]) -> str:
    """fonts: name in our sources -> name of the built file. Layered rules give way to ours whatever their selectors weigh."""
    said = "".join(_IMPORTANT_REMARK.findall(tabler))
    below = _IMPORTANT_REMARK.sub("", _CHARSET.sub("", tabler)).strip()
    above = shorter("\n".join(own))
    for name, built in fonts.items():
        above = above.replace(f'"{name}"', f'"{built}"')
    return f'@charset "UTF-8";{said}@layer tabler{{{below}}}\n{above}\n'


def shorter(css: str) -> str:
    """Return the same rules without remarks and spaces that mean nothing. Strings stay as they are."""
    strings: list[str] = []

    def kept(found: re.Match[str]) -> str:
        strings.append(found.group())
        return f'"{len(strings) - 1}"'

    text = _STRING.sub(kept, _REMARK.sub("", css))
    text = _AFTER_COLON.sub(":", _AROUND.sub(r"\1", _SPACES.sub(" ", text))).replace(";}", "}")
    return _STRING.sub(lambda found: strings[int(found.group()[1:-1])], text).strip()
