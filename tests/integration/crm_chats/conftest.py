"""Fixtures; what they are made of stands in scene.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.crm_chats.scene import CardShop, a_card_shop


@pytest.fixture
async def cards(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CardShop]:
    async with a_card_shop(pool, database_url) as made:
        yield made
