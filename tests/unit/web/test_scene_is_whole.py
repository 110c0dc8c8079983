"""The scene in which every page is looked at knows how each is reached."""

from __future__ import annotations

import pytest

from gateway.web.all_pages import PAGES
from gateway.web.frame import PageRoute
from tests.integration.web.scene import NO_PAGES, WHILE_SENDING, addresses_of, pages_that_are_seen


@pytest.mark.parametrize("page", pages_that_are_seen(), ids=lambda page: page.path)
def test_each_page_has_an_address_in_the_scene(page: PageRoute) -> None:
    """Where it has none: name in tests/integration/web/scene.py what stands in its address there."""
    assert addresses_of(page) or page.path in WHILE_SENDING


def test_what_is_no_page_is_there_and_it_is_said_what_it_is() -> None:
    assert set(NO_PAGES) <= {page.path for page in PAGES}
    assert all(NO_PAGES.values())
