"""Fixtures; what they are made of stands in shop.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.channels.shop import ChatShop, a_chat_shop


@pytest.fixture
async def shop(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[ChatShop]:
    async with a_chat_shop(pool, database_url) as made:
        yield made
