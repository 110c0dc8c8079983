"""Which schedules there are is told without reading any, and what is read twice is read once."""

from __future__ import annotations

import asyncpg

from gateway.store.admin.accounts import add_account
from gateway.store.admin.schedules import remove_schedule, save_schedule, schedule_named, schedule_names
from routing.schedules.model import Schedule


async def test_names_are_those_of_the_accounts_and_none_that_was_removed(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        for account_id in ("a", "b"):
            await add_account(conn, account_id=account_id, name=account_id, base_url="http://127.0.0.1:1")
        for account_id, name in (("a", "night"), ("a", "day"), ("a", "gone"), ("b", "shop"), ("b", "day")):
            await save_schedule(conn, account_id, name, Schedule(), "test")
        await remove_schedule(conn, "a", "gone")
        assert await schedule_names(conn, ["a"]) == ["day", "night"]
        assert await schedule_names(conn, None) == ["day", "night", "shop"]
        assert await schedule_names(conn, []) == []


async def test_a_schedule_is_read_anew_only_when_it_says_something_else(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await add_account(conn, account_id="a", name="a", base_url="http://127.0.0.1:1")
        saved = await save_schedule(conn, "a", "day", Schedule(zone="Europe/Moscow"), "test")
        again = await schedule_named(conn, "a", "day")
        assert again is not None
        assert again.schedule is saved.schedule
        await save_schedule(conn, "a", "day", Schedule(zone="Asia/Omsk"), "test")
        changed = await schedule_named(conn, "a", "day")
        assert changed is not None
        assert changed.schedule == Schedule(zone="Asia/Omsk")
