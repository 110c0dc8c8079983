"""Fixtures; what they are made of stands in office.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.intake.office import Office, an_office


@pytest.fixture
async def office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    made = await an_office(pool, database_url)
    made.inbox.start()
    await made.start()
    yield made
    await made.stop()
    await made.inbox.stop()
