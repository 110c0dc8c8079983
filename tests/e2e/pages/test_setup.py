"""The pages of the setup and of the first run in a browser."""

from __future__ import annotations

import pytest

from gateway.web.person import Theme
from routing.texts.catalogue import Language
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow

pytestmark = pytest.mark.pages

PATHS = (
    *("/setup", "/setup/held", "/setup/exchanges", "/setup/pbx", "/setup/pbx/new?kind=asterisk"),
    *("/setup/employees", "/setup/employees/new", "/setup/not-sent", "/setup/numbers?number=nine", "/start"),
    *("/setup/do-not-call", "/setup/other", "/setup/other?part=hours", "/setup/other?part=kept"),
)


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "ru", DESKTOP), ("dark", "en", PHONE)])
async def test_the_setup_is_accessible_and_within_the_window(
    pages: Pages, theme: Theme, language: Language, width: int
) -> None:
    found = {}
    for path in PATHS:
        async with pages.signed_in_page(
            path, theme=theme, language=language, width=width, quiet=False
        ) as page:
            found[path] = [*await axe(page), *await no_overflow(page)]
    assert {path: faults for path, faults in found.items() if faults} == {}
