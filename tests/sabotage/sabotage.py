"""One sabotage as a value, and how it is done to a copy of the source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """hurts: what would happen to a user. old: stands in the file exactly once. tests: at least one of them must fail."""

    name: str
    hurts: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


class SabotageStale(Exception):
    """The source has changed: what the row would replace is not there exactly once."""


def sabotaged(row: Sabotage, text: str) -> str:
    """Return the file's text with the safeguard taken out. Raises SabotageStale."""
    found = text.count(row.old)
    if found != 1:
        raise SabotageStale(
            f"{row.name}: its old text stands {found} times in {row.file}, not once: find where the safeguard is now,"
            f" and change the row in tests/sabotage/rows\n{row.old}"
        )
    return text.replace(row.old, row.new)


def sabotage_file(row: Sabotage, root: Path) -> str:
    """Do it to the file below `root`; its text before."""
    path = root / row.file
    before = path.read_text(encoding="utf-8")
    _write(path, sabotaged(row, before))
    return before


def restore_file(row: Sabotage, root: Path, before: str) -> None:
    _write(root / row.file, before)


def _write(path: Path, text: str) -> None:
    """Without the compiled form: of two texts of one size and second, Python would take the former for the latter."""
    path.write_text(text, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
