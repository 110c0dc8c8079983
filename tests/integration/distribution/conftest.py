"""An account whose deals are given."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.distribution.shop import Shop


@pytest.fixture
async def shop(pool: asyncpg.Pool) -> Shop:
    opened = Shop(pool)
    await opened.open()
    return opened
