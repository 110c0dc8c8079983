"""Schedules as they stand in rows."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.store.admin.schedules import schedule_of_json
from routing.schedules.model import Schedule


def _month(people: int, opens: str) -> dict[str, Any]:
    periods = [
        {"first": f"2026-12-{day:02}", "last": f"2026-12-{day:02}", "hours": [[opens, "18:00"]]}
        for day in range(1, 32)
    ]
    body = {"kind": "by_day", "people": {f"p{n}": {"periods": periods} for n in range(people)}}
    return Schedule.model_validate(body).model_dump(mode="json")


async def test_whatever_else_the_process_does_comes_in_between_while_a_month_of_hundreds_is_read() -> None:
    body, turns = _month(500, "09:00"), 0

    async def lookups() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(lookups())
    schedule = await schedule_of_json(body)
    beside.cancel()
    assert turns >= 5
    assert schedule == Schedule.model_validate(body)
    assert await schedule_of_json(body) is schedule


async def test_what_a_newer_program_keeps_there_is_left_alone() -> None:
    body = _month(2, "10:00")
    newer = {**body, "new": 1, "people": {who: {**plan, "new": 1} for who, plan in body["people"].items()}}
    newer["groups"] = {"north": {"hours": {"1": [["10:00", "12:00"]]}, "new": 1}}
    read = await schedule_of_json(newer)
    assert read.people == Schedule.model_validate(body).people
    assert list(read.groups) == ["north"]
