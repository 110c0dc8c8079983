"""The house as it stands: its rooms with their sentences, and which room takes things from which, read from the imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from tests.paths import ROOT

PACKAGES = ("gateway", "crm", "sms", "campaigns", "runtime", "routing")
Arrows = Mapping[str, frozenset[str]]


@cache
def sentences() -> Mapping[str, str]:
    """Package, room or loose module ("gateway/lookup") -> the first sentence of its docstring."""
    found = {}
    for package in PACKAGES:
        for file in [ROOT / package, *sorted((ROOT / package).iterdir())]:
            source = file / "__init__.py" if file.is_dir() else file
            if source.suffix == ".py" and source.is_file() and file.name != "__init__.py":
                found[_name(file)] = _first_sentence(source)
    return found


def rooms_of(package: str) -> list[str]:
    return [name for name in sentences() if name.startswith(f"{package}/")]


@cache
def package_arrows() -> Arrows:
    return _arrows(1)


@cache
def room_arrows(package: str) -> Arrows:
    inside = {
        room: frozenset(t for t in taken if t.startswith(f"{package}/")) for room, taken in _arrows(2).items()
    }
    return {room: taken for room, taken in inside.items() if room.startswith(f"{package}/")}


def reachable(arrows: Arrows, start: str) -> set[str]:
    seen: set[str] = set()
    open_ends = set(arrows.get(start, ()))
    while open_ends:
        seen |= open_ends
        open_ends = {b for a in open_ends for b in arrows.get(a, ())} - seen
    return seen


def fewest(arrows: Arrows) -> list[tuple[str, str]]:
    """The arrows from which all others follow: those that no detour replaces. There must be no circle."""
    return [
        (a, b)
        for a, taken in sorted(arrows.items())
        for b in sorted(taken)
        if not any(b in reachable(arrows, other) for other in taken - {b})
    ]


def picture(arrows: Arrows) -> str:
    lines = [f"{_short(a)} --> {_short(b)}" for a, b in fewest(arrows)]
    drawn = {end for arrow in fewest(arrows) for end in arrow}
    lines += [_short(room) for room in sorted(set(arrows) - drawn)]
    return "```mermaid\nflowchart TD\n" + "".join(f"    {line}\n" for line in lines) + "```\n"


def _short(room: str) -> str:
    return room.rpartition("/")[2]


def _arrows(depth: int) -> Arrows:
    found: dict[str, set[str]] = {name: set() for name in sentences() if name.count("/") == depth - 1}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            room = _room(file.relative_to(ROOT).with_suffix("").parts, depth)
            if room in found:
                taken = {_room(tuple(name.split(".")), depth) for name in _imported(file)}
                found[room] |= (taken & found.keys()) - {room}
    return {room: frozenset(taken) for room, taken in found.items()}


def _imported(file: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(parts: tuple[str, ...], depth: int) -> str:
    return "/".join(parts[:depth])


def _name(file: Path) -> str:
    return "/".join(file.relative_to(ROOT).with_suffix("").parts)


def _first_sentence(file: Path) -> str:
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    sentence, end, _ = " ".join(said.split("\n\n")[0].split()).partition(". ")
    return sentence + end.strip()
