"""What a starting process asks of a database that is restarting."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from runtime.lifecycle import retry_until_available


async def test_a_database_that_restarts_while_a_process_starts_is_asked_again() -> None:
    answers: list[BaseException | int] = [
        asyncpg.ConnectionDoesNotExistError("closed in the middle"),
        asyncpg.CannotConnectNowError("starting up"),
        7,
    ]

    async def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    assert await retry_until_available(ask) == 7
    assert answers == []


async def test_what_waiting_does_not_mend_is_said_at_once() -> None:
    asked = []

    async def ask() -> int:
        asked.append("once more")
        raise asyncpg.InvalidPasswordError("no")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncio.wait_for(retry_until_available(ask), 10)
    assert len(asked) == 1
