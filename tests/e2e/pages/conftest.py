"""Fixtures; what they are made of stands in site.py and browser.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.e2e.pages.browser import Pages, chromium
from tests.e2e.pages.site import running_site
from tests.paths import ROOT


@pytest.fixture
async def pages(
    pool: asyncpg.Pool, database_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[Pages]:
    """A site with one account, and a browser to look at it."""
    async with running_site(pool, database_url) as site, chromium() as browser:
        yield Pages(site, browser, ROOT / ".pages" / request.node.name)
