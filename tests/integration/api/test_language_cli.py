"""An account need not be named where there is only one; what is told of it is told in the chosen language."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.cli import all_commands
from gateway.store.admin.matrices import draft, save_draft
from routing.matrix.presets import unsorted
from tests.integration.api.client import ACCOUNT
from tests.integration.api.command_line import callmatrix


def _commands() -> list[str]:
    return sorted(
        name
        for name, command in all_commands().items()
        if "--account" in {o for p in command.params for o in p.opts}
    )


def test_an_account_need_not_be_named_where_there_is_only_one() -> None:
    commands = all_commands()
    for name in _commands():
        option = next(p for p in commands[name].params if "--account" in p.opts)
        assert not option.required, name


@pytest.mark.parametrize(("language", "said"), [("en", "name of the matrix"), ("ru", "название матрицы")])
async def test_the_difference_is_told_in_the_language_that_is_chosen(
    pool: asyncpg.Pool, database_url: str, account: str, language: str, said: str
) -> None:
    async with pool.acquire() as conn:
        seen = await draft(conn, ACCOUNT)
        await save_draft(conn, ACCOUNT, unsorted(), revision=seen.revision, by="anna")
    answer = await callmatrix(database_url, "matrix", "difference", "--lang", language)
    assert said in answer.stdout
