"""Addresses of pages: none hides one that is made of a name which people choose."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.web.all_pages import PAGES

_OURS = ("{call}", "{channel}", "{dialogue}", "{run}", "{session}", "{do:", "{action:")
"""Made by us, or one of a few words: none of them is a word of an address."""


def _hides(fixed: str, named: str) -> bool:
    """Whether a name that people choose could make the second address into the first."""
    parts, names = fixed.split("/"), named.split("/")
    if fixed == named or len(parts) != len(names):
        return False
    differ = [(part, name) for part, name in zip(parts, names, strict=True) if part != name]
    return all(name.startswith("{") and not part.startswith("{") for part, name in differ) and not all(
        name.startswith(_OURS) for _, name in differ
    )


def test_a_thing_may_be_named_as_people_like() -> None:
    paths = sorted({page.path for page in PAGES})
    assert [f"{a} hides {b}" for a, b in product(paths, paths) if _hides(a, b)] == []


@pytest.mark.parametrize(
    ("fixed", "named", "is_hidden"),
    [
        ("/setup/sms/new", "/setup/sms/{provider}", True),
        ("/setup/new-sms", "/setup/sms/{provider}", False),
        ("/calls/csv", "/calls/{call}", False),
    ],
)
def test_what_hides_what(fixed: str, named: str, is_hidden: bool) -> None:
    assert _hides(fixed, named) is is_hidden
