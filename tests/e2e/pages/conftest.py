"""Fixtures; what they are made of stands in site.py, browser.py and walking.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from routing.settings import AccountSettings, CallPolicy, PresencePolicy
from routing.texts.catalogue import Language
from tests.conftest import database_of_its_own
from tests.e2e.features.sales import Sales
from tests.e2e.pages.browser import Pages, chromium
from tests.e2e.pages.site import running_site
from tests.e2e.pages.walking import Walk
from tests.e2e.stack import running_stack
from tests.paths import ROOT

_ENV = {
    "CALLMATRIX_PAGES": "true",
    "CALLMATRIX_POLL_SECONDS": "1",
    "CALLMATRIX_DIRECTORY_POLL_SECONDS": "5",
}


def _results(request: pytest.FixtureRequest) -> Path:
    return ROOT / ".pages" / str(request.node.name)


@pytest.fixture
async def pages(
    pool: asyncpg.Pool, database_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[Pages]:
    """A site with one account, and a browser to look at it."""
    async with running_site(pool, database_url) as site, chromium() as browser:
        yield Pages(site, browser, _results(request))


@pytest.fixture
def language() -> Language:
    """Of a walk, unless the test says otherwise."""
    return "ru"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def walkers() -> AsyncIterator[Browser]:
    """The browser of those who walk."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def empty_walk(
    postgres_url: str,
    template_database: str,
    tmp_path: Path,
    walkers: Browser,
    language: Language,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Walk]:
    """A walk where nothing is set up yet: the processes, and a sandbox that nobody has connected."""
    async with (
        database_of_its_own(postgres_url, template_database) as url,
        running_stack(tmp_path, url, has_account=False, contacts=20, env=_ENV, most_a_second=8) as stack,
    ):
        await stack.until_answers(f"{stack.url}/sign-in")
        yield Walk(stack, walkers, _results(request), language)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def department(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sales]:
    """A sales department at work, for all walks but the first. A new key is tried at one request a second, beside the worker."""
    settings = AccountSettings(
        calls=CallPolicy(settle_seconds=1),
        presence=PresencePolicy(is_on=True, feed_late_minutes=None, answer_seconds=60),
    )
    folder = tmp_path_factory.mktemp("walks")
    async with (
        database_of_its_own(postgres_url, template_database) as url,
        running_stack(folder, url, settings=settings, env=_ENV, contacts=20, most_a_second=8) as stack,
    ):
        await stack.until_answers(f"{stack.url}/sign-in")
        sales = Sales(stack)
        await sales.open()
        yield sales


@pytest.fixture
def walk(department: Sales, walkers: Browser, language: Language, request: pytest.FixtureRequest) -> Walk:
    return Walk(department.stack, walkers, _results(request), language)
