"""Running stacks for all these tests: one for calls, each test with numbers of its own, one for distribution."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from routing.settings import AccountSettings, CallPolicy, PresencePolicy
from tests.e2e.features.calling import CallBacks, calling_back
from tests.e2e.features.contact_centre import ContactCentre
from tests.e2e.features.newcomer import Newcomer, newcomer_at
from tests.e2e.features.office import Office
from tests.e2e.features.sales import Sales
from tests.e2e.stack import Stack, running_stack
from tests.fakes import mango as mango_double


@contextlib.asynccontextmanager
async def _stack(
    postgres_url: str, template: str, made: pytest.TempPathFactory, name: str, **options: Any
) -> AsyncIterator[Stack]:
    database = f"{name}_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
    url = postgres_url.rsplit("/", 1)[0] + "/" + database
    try:
        async with running_stack(made.mktemp(name), url, **options) as stack:
            yield stack
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        await admin.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    # Update-only waits for others: long enough for a test to create something meanwhile.
    settings = AccountSettings(calls=CallPolicy(settle_seconds=1, update_wait_seconds=8))
    env = {"CALLMATRIX_POLL_SECONDS": "1", "CALLMATRIX_DIRECTORY_POLL_SECONDS": "5"}
    async with _stack(
        postgres_url, template_database, tmp_path_factory, "s4", settings=settings, env=env
    ) as stack:
        office = Office(stack)
        await office.open()
        yield office


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def newcomer(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Newcomer]:
    """Nothing is connected yet; the pages are served. A key is tried at one request a second, beside the worker."""
    env = {
        "CALLMATRIX_POLL_SECONDS": "1",
        "CALLMATRIX_DIRECTORY_POLL_SECONDS": "5",
        "CALLMATRIX_PAGES": "true",
    }
    async with (
        _stack(
            postgres_url,
            template_database,
            tmp_path_factory,
            "s4n",
            has_account=False,
            env=env,
            contacts=5,
            most_a_second=8,
        ) as stack,
        newcomer_at(stack) as newcomer,
    ):
        yield newcomer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sales(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sales]:
    # In a department where hardly anybody does anything, silence is silence.
    presence = PresencePolicy(is_on=True, feed_late_minutes=None, answer_seconds=60)
    env = {
        "CALLMATRIX_POLL_SECONDS": "1",
        "CALLMATRIX_DIRECTORY_POLL_SECONDS": "5",
        "CALLMATRIX_PAGES": "true",
    }
    async with _stack(
        postgres_url,
        template_database,
        tmp_path_factory,
        "s0",
        settings=AccountSettings(presence=presence),
        env=env,
        contacts=5,
    ) as stack:
        sales = Sales(stack)
        await sales.open()
        yield sales


@pytest_asyncio.fixture(loop_scope="session")
async def calls(sales: Sales) -> AsyncIterator[CallBacks]:
    async with calling_back(sales) as calls:
        yield calls


@pytest_asyncio.fixture(loop_scope="session")
async def texts(calls: CallBacks) -> AsyncIterator[CallBacks]:
    sales = calls.sales
    provider = {"name": "texts", "kind": "sandbox"}
    if "texts" not in {p["name"] for p in (await sales.api("GET", "sms-connections"))["items"]}:
        await sales.api("POST", "sms-connections", status=201, body=provider)
    yield calls


@pytest_asyncio.fixture(loop_scope="session")
async def centre(calls: CallBacks) -> AsyncIterator[ContactCentre]:
    async with mango_double.serving(mango_double.FakeMango()) as mango:
        keys = {"api_key": mango.api_key, "api_salt": mango.salt}
        change = {"settings": {"base_url": mango.url, "reconcile": False}, "keys": keys}
        await calls.sales.api("PATCH", "connections/mango", body=change)
        yield ContactCentre(calls, mango)
