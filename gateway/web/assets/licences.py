"""Under which terms we pass on what others wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

_NAMES = ("LICENSE", "LICENSE.md", "LICENCE", "license")
_TERMS_IN_README = re.compile(r"^#+ *licen[cs]e\b.*?(?=^#|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)


def licences(packages: Path, names: Sequence[str]) -> str:
    return "\n\n".join(_of_package(packages / name) for name in names)


def _of_package(folder: Path) -> str:
    about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    head = f"{about['name']} {about['version']}: {about['license']}"
    return f"{head}\n{'=' * len(head)}\n{_terms(folder)}"


def _terms(folder: Path) -> str:
    """Return the licence as the package carries it: a file, else the chapter of its README."""
    for name in _NAMES:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").strip()
    found = _TERMS_IN_README.search((folder / "README.md").read_text(encoding="utf-8"))
    return found.group().strip() if found else ""
