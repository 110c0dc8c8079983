"""One running stack for all these tests; each uses numbers of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from routing.settings import AccountSettings, CallPolicy
from tests.e2e.features.office import Office
from tests.e2e.stack import running_stack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    name = f"s4_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
    url = postgres_url.rsplit("/", 1)[0] + "/" + name
    try:
        # Update-only waits for others: long enough for a test to create something meanwhile.
        settings = AccountSettings(calls=CallPolicy(settle_seconds=1, update_wait_seconds=8))
        async with running_stack(
            tmp_path_factory.mktemp("s4"),
            url,
            settings=settings,
            env={"CALLMATRIX_POLL_SECONDS": "1", "CALLMATRIX_DIRECTORY_POLL_SECONDS": "5"},
        ) as stack:
            office = Office(stack)
            await office.open()
            yield office
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()
