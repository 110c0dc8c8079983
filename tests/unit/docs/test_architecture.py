"""docs/explanation/architecture.md tells of the house as it stands. Renew it with `python -m tests.unit.docs.tables`."""

from __future__ import annotations

import re

import pytest

from tests.paths import ROOT
from tests.unit.docs import rooms

PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
RENEW = "run: .venv/bin/python -m tests.unit.docs.tables"
PLACES = re.findall(r"`((?:gateway|crm|routing|runtime|tests|deploy|docs|sms)/[^`\s]*)`", PAGE)


def block(name: str) -> str:
    return PAGE.partition(f"<!-- table: {name} -->")[2].partition("<!-- end -->")[0]


def drawn(name: str, prefix: str = "") -> rooms.Arrows:
    found: dict[str, set[str]] = {}
    for a, b in re.findall(r"^ +(\w+) --> (\w+)$", block(name), re.MULTILINE):
        found.setdefault(prefix + a, set()).add(prefix + b)
    return {a: frozenset(taken) for a, taken in found.items()}


@pytest.mark.parametrize(
    ("picture", "real"),
    [
        (drawn("picture"), rooms.package_arrows()),
        (drawn("gateway-picture", "gateway/"), rooms.room_arrows("gateway")),
    ],
    ids=["packages", "rooms of the gateway"],
)
def test_the_picture_is_that_of_the_imports(picture: rooms.Arrows, real: rooms.Arrows) -> None:
    invented = [(a, b) for a, taken in picture.items() for b in taken if b not in real[a]]
    assert invented == [], RENEW
    missing = [(a, b) for a, taken in real.items() for b in taken if b not in rooms.reachable(picture, a)]
    assert missing == [], RENEW


@pytest.mark.parametrize("package", ["gateway", "crm", "routing", "runtime", "sms"])
def test_every_room_stands_with_its_sentence(package: str) -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \|", block(f"{package}-rooms"), re.MULTILINE))
    assert rows == set(rooms.rooms_of(package)), RENEW


def test_every_place_that_the_page_names_is_there() -> None:
    assert len(PLACES) > 80
    gone = [
        place
        for place in PLACES
        if not (ROOT / place.partition("<")[0]).exists() and not (ROOT / f"{place}.py").exists()
    ]
    assert gone == []
