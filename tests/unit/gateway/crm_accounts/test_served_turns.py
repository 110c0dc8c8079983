"""Turns of the accounts that a worker serves: none holds up another, and none goes on after its account is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import pytest

from gateway.crm_accounts.served_turns import ServedTurns


class NoDatabase:
    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield None


class Accounts:
    """Accounts that all have something to do, always; what turns were begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.turns = ServedTurns("tested", cast(asyncpg.Pool, NoDatabase()), self._busy, 0.01)

    async def _busy(self, conn: object, served: Sequence[str]) -> list[str]:
        return [*served, "not-served"]

    async def one_turn(self) -> bool:
        self.begun.append("one")
        return False

    async def fails(self) -> bool:
        self.begun.append("fails")
        raise RuntimeError("a row that cannot be read")

    async def never_ends(self) -> bool:
        self.begun.append("never")
        await asyncio.sleep(3600)
        return True

    async def run_until(self, least: int, of: str) -> None:
        running = asyncio.create_task(self.turns.loop.run())
        async with asyncio.timeout(5):
            while self.begun.count(of) < least:
                await asyncio.sleep(0)
        running.cancel()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


async def test_an_account_whose_turn_fails_is_tried_again_and_holds_up_no_other(accounts: Accounts) -> None:
    with accounts.turns.served("a", accounts.fails), accounts.turns.served("b", accounts.one_turn):
        await accounts.run_until(3, "one")
        assert accounts.begun.count("fails") >= 2


async def test_an_account_that_is_at_work_begins_nothing_else_and_holds_up_no_other(
    accounts: Accounts,
) -> None:
    with accounts.turns.served("a", accounts.never_ends), accounts.turns.served("b", accounts.one_turn):
        await accounts.run_until(3, "one")
        assert accounts.begun.count("never") == 1


async def test_what_is_served_no_more_gets_no_turn(accounts: Accounts) -> None:
    with accounts.turns.served("b", accounts.one_turn):
        with accounts.turns.served("a", accounts.never_ends):
            await accounts.run_until(1, "never")
        await accounts.run_until(len(accounts.begun) + 3, "one")
        assert accounts.begun.count("never") == 1


async def test_an_account_goes_on_until_nothing_is_to_be_done(accounts: Accounts) -> None:
    left = 3

    async def portions() -> bool:
        nonlocal left
        left -= 1
        accounts.begun.append(f"left-{left}")
        return left > 0

    with accounts.turns.served("a", portions):
        await accounts.run_until(1, "left-0")
    assert accounts.begun[:3] == ["left-2", "left-1", "left-0"]
