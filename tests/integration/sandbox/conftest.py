"""Fixtures; what they are made of stands in client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from crm.sandbox.server import Sandbox
from tests.integration.sandbox.client import FAST, Api


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(contacts=60, profile=FAST) as running:
        yield running


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(sandbox, session)
