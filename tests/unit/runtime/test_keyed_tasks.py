"""One task for each key: it comes and goes with its key, and begins again after it failed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from runtime.keyed_tasks import run_keyed
from tests.waiting import until


class Office:
    """wanted: keys that should be served. running: those that are. began: every start, in order."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.running: set[str] = set()
        self.began: list[str] = []
        self.fails: set[str] = set()
        self.changed = asyncio.Event()

    async def serve(self, key: str) -> None:
        self.began.append(key)
        if key in self.fails:
            raise ValueError(key)
        self.running.add(key)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # ends not at once
            self.running.discard(key)

    def want(self, *keys: str) -> None:
        self.wanted = set(keys)
        self.changed.set()

    async def becomes(self, *keys: str) -> None:
        await until(lambda: self.running == set(keys), f"running: {keys}")


@contextlib.asynccontextmanager
async def _following(office: Office) -> AsyncIterator[Office]:
    task = asyncio.create_task(
        run_keyed("test", lambda: office.wanted, office.serve, office.changed, first_pause=0.01)
    )
    try:
        yield office
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not office.running, "nothing outlives it"


async def test_tasks_come_and_go_with_their_keys() -> None:
    async with _following(Office()) as office:
        office.want("a", "b")
        await office.becomes("a", "b")
        office.want("b", "c")
        await office.becomes("b", "c")
        assert sorted(office.began) == ["a", "b", "c"], "what stays is not begun anew"


async def test_one_that_fails_begins_again_and_harms_no_other() -> None:
    async with _following(Office()) as office:
        office.fails = {"bad"}
        office.want("bad", "good")
        await until(lambda: office.began.count("bad") >= 3, "three attempts")
        office.fails.clear()
        await office.becomes("bad", "good")
        assert office.began.count("good") == 1
