"""Our modules joined into one script: every import is of a neighbour, so that leaving out the words `import` and `export` is enough."""

from __future__ import annotations

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import [^;]*? from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_REMARK = re.compile(r"^\s*(//.*|/\*.*\*/)\n", re.MULTILINE)
_DECLARED = re.compile(r"^(?:async )?(?:function\*?|const|let|var|class) (\w+)", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)
LAST = "start.js"


def joined(modules: Mapping[str, str]) -> str:
    """Return one script. Raises KeyError when a module is imported that is not there, ValueError where two declare one name: a
    browser would run nothing of it. start.js, which calls the rest, comes last."""
    parts: list[str] = []
    declared: dict[str, str] = {}
    for name in sorted(modules, key=lambda name: (name == LAST, name)):
        for imported in _IMPORT.findall(modules[name]):
            modules[imported]
        parts.append(_EXPORT.sub("", _IMPORT.sub("", modules[name])))
        for one in _DECLARED.findall(parts[-1]):
            if declared.setdefault(one, name) != name:
                raise ValueError(f"{declared[one]} and {name} both declare '{one}': rename one of them")
    return '"use strict";(()=>{\n' + without_remarks("".join(parts)) + "})();\n"


def without_remarks(script: str) -> str:
    return _INDENT.sub("", _REMARK.sub("", script))
