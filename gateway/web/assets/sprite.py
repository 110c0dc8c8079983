"""The icons that the pages use as one file: `<use href="icons.svg#phone">`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gateway.web.assets.node import CannotBuild

_INSIDE = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_FRAME = re.compile(r'<path\s+stroke="none"\s+d="M0 0h24v24H0z"\s+fill="none"\s*/>')
_BETWEEN = re.compile(r">\s+<")
_OUTLINE = (
    'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
)
_FILLED = 'fill="currentColor"'
_ENDING_OF_FILLED = "-filled"


def sprite(folder: Path, names: Sequence[str]) -> str:
    """folder: of Tabler's icons, with `outline` and `filled`. Raises CannotBuild for a name that it does not have."""
    symbols = "".join(_symbol(folder, name) for name in sorted(set(names)))
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n'


def _symbol(folder: Path, name: str) -> str:
    is_filled = name.endswith(_ENDING_OF_FILLED)
    kind, file = ("filled", name.removesuffix(_ENDING_OF_FILLED)) if is_filled else ("outline", name)
    try:
        drawing = (folder / kind / f"{file}.svg").read_text(encoding="utf-8")
    except FileNotFoundError as err:
        raise CannotBuild(f"static/icons.txt names '{name}', which Tabler does not have") from err
    found = _INSIDE.search(drawing)
    if found is None:
        raise CannotBuild(f"the icon '{name}' is no drawing")
    inside = _BETWEEN.sub("><", _FRAME.sub("", found.group(1))).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24" {_FILLED if is_filled else _OUTLINE}>{inside}</symbol>'
