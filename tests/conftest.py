"""Fixtures for all tests: one throw-away PostgreSQL per run, one fresh migrated database per test that asks for it."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from runtime.database.pool import open_pool
from tests.database_server import administer, migrated_template, throwaway_server, with_database

# Tests run beside others on a machine of two cores: how long it takes to think up an example says nothing.
settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")

# The library's own way to print an error shows the variables of every function, whole pages among them, for minutes.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# Where the suite is started in the background Ctrl-C is ignored, by every program that a test starts too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_CLEANING_UP_SECONDS = 120
_stderr = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_stderr] = os.dup(2)  # nothing is captured yet


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """pytest-timeout no longer watches over a test that has failed: one that hangs while it is cleaned up after would
    hold up the run for ever. The process tells where it hangs and exits; the tests of the others go on."""
    faulthandler.dump_traceback_later(_CLEANING_UP_SECONDS, exit=True, file=item.config.stash[_stderr])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server for the whole run: CALLMATRIX_TEST_DATABASE_URL, else an embedded one without fsync."""
    if url := os.environ.get("CALLMATRIX_TEST_DATABASE_URL"):
        yield url
        return
    with throwaway_server() as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> str:
    """Name of a migrated database that others are copied from: CALLMATRIX_TEST_TEMPLATE, else one that is made."""
    if name := os.environ.get("CALLMATRIX_TEST_TEMPLATE"):
        return name
    return migrated_template(postgres_url)


@asynccontextmanager
async def database_of_its_own(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    """DSN of a migrated, empty database that nobody else uses."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await administer(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    try:
        yield with_database(postgres_url, name)
    finally:
        await administer(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
async def database_url(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    """DSN of a migrated, empty database of this test's own."""
    async with database_of_its_own(postgres_url, template_database) as url:
        yield url


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    opened = await open_pool(database_url, max_size=5)
    yield opened
    try:
        await asyncio.wait_for(opened.close(), 10)
    except TimeoutError:
        opened.terminate()
