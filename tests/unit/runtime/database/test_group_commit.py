"""Items that come together share a commit, and each of those who wait gets what became of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.database.group_commit import GroupClosed, GroupCommit, GroupFull
from tests.waiting import until


class Table:
    """What is committed. `bad` items are refused for good; while it is `away` nothing is taken; `open` lets commits end."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.tried = 0
        self.bad: set[int] = set()
        self.is_away = False
        self.open = asyncio.Event()
        self.open.set()

    async def commit(self, items: Sequence[int]) -> list[str]:
        self.tried += 1
        await self.open.wait()
        if self.is_away:
            raise ConnectionResetError("the server is gone")
        if self.bad & set(items):
            raise asyncpg.DataError("no such value")
        self.groups.append(list(items))
        return [f"row of {item}" for item in items]

    @property
    def rows(self) -> list[int]:
        return [item for group in self.groups for item in group]


def _group(table: Table, **options: Any) -> GroupCommit[int, str]:
    return GroupCommit("test", table.commit, **{"most": 4, **options})


async def _all(group: GroupCommit[int, str], items: Sequence[int]) -> list[str | BaseException]:
    return list(await asyncio.gather(*(group.add(item) for item in items), return_exceptions=True))


async def test_those_who_come_together_share_commits_and_each_gets_its_own_answer_in_order() -> None:
    table = Table()
    assert await _all(_group(table), range(10)) == [f"row of {n}" for n in range(10)]
    assert table.groups == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_what_comes_while_a_group_is_written_is_the_next_group() -> None:
    table = Table()
    table.open.clear()
    group = _group(table)
    first = asyncio.create_task(group.add(1))
    await until(lambda: table.tried == 1, "the first is being written")
    later = [asyncio.create_task(group.add(n)) for n in (2, 3)]
    await asyncio.sleep(0)
    table.open.set()
    await asyncio.gather(first, *later)
    assert table.groups == [[1], [2, 3]]


async def test_a_group_that_is_not_full_waits_for_company_and_one_that_becomes_full_does_not() -> None:
    table = Table()
    group = _group(table, most=2, gather_seconds=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await group.add(1)
    assert loop.time() - began >= 0.19
    patient = _group(table, most=2, gather_seconds=60)
    lonely = asyncio.create_task(patient.add(2))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(20):
        assert await patient.add(3) == "row of 3"
        assert await lonely == "row of 2"
    assert table.groups == [[1], [2, 3]]


async def test_an_item_that_is_refused_costs_its_neighbours_nothing() -> None:
    table = Table()
    table.bad = {2}
    answers = await _all(_group(table), [1, 2, 3])
    assert [type(answer) for answer in answers] == [str, asyncpg.DataError, str]
    assert table.rows == [1, 3]


async def test_trouble_that_may_pass_is_told_to_everyone_and_nothing_is_tried_one_by_one() -> None:
    table = Table()
    table.is_away = True
    group = _group(table)
    assert [type(answer) for answer in await _all(group, [1, 2, 3])] == [ConnectionResetError] * 3
    assert table.tried == 1
    table.is_away = False
    assert await group.add(4) == "row of 4"


async def test_more_than_may_wait_are_refused_at_once() -> None:
    table = Table()
    table.open.clear()
    group = _group(table, limit=2)
    writing = asyncio.create_task(group.add(0))
    await until(lambda: table.tried == 1, "one is being written")
    waiting = [asyncio.create_task(group.add(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(GroupFull):
        await group.add(3)
    table.open.set()
    await asyncio.gather(writing, *waiting)
    assert table.rows == [0, 1, 2]


async def test_who_waits_no_more_is_not_written_if_that_did_not_begin() -> None:
    table = Table()
    table.open.clear()
    group = _group(table)
    writing, gone = asyncio.create_task(group.add(1)), asyncio.create_task(group.add(2))
    await until(lambda: table.tried == 1, "both are being written")
    later = asyncio.create_task(group.add(3))
    await asyncio.sleep(0)
    later.cancel()
    gone.cancel()
    table.open.set()
    assert await writing == "row of 1"
    await group.close(1)
    assert table.rows == [1, 2]


async def test_closing_writes_what_waits_at_once_and_takes_nothing_more() -> None:
    table = Table()
    group = _group(table, gather_seconds=60)
    waiting = [asyncio.create_task(group.add(n)) for n in (1, 2)]
    await asyncio.sleep(0.01)
    async with asyncio.timeout(20):
        await group.close(10)
        assert await asyncio.gather(*waiting) == ["row of 1", "row of 2"]
    with pytest.raises(GroupClosed):
        await group.add(3)
    assert table.rows == [1, 2]


async def test_what_cannot_be_written_before_the_end_is_told_so() -> None:
    table = Table()
    table.open.clear()
    group = _group(table, most=1)
    waiting = [asyncio.create_task(group.add(n)) for n in (1, 2)]
    await until(lambda: table.tried == 1, "the first is being written")
    await group.close(0.05)
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in told] == [GroupClosed, GroupClosed]
    assert table.rows == []


async def test_closing_what_never_began_is_harmless() -> None:
    group = _group(Table())
    await group.close(1)
    await group.close(1)


@settings(max_examples=60, deadline=None)
@given(
    items=st.lists(st.integers(0, 30), max_size=25),
    bad=st.sets(st.integers(0, 30), max_size=5),
    most=st.integers(1, 6),
    gather=st.sampled_from([0.0, 0.001]),
    gently=st.booleans(),
)
def test_whatever_comes_each_gets_the_answer_of_its_own_and_all_good_ones_are_written_once(
    items: list[int], bad: set[int], most: int, gather: float, gently: bool
) -> None:
    async def play() -> None:
        table = Table()
        table.bad = bad
        group = _group(table, most=most, gather_seconds=gather, gently=gently)
        answers = await _all(group, items)
        for item, answer in zip(items, answers, strict=True):
            assert isinstance(answer, asyncpg.DataError) if item in bad else answer == f"row of {item}"
        assert table.rows == [item for item in items if item not in bad]
        assert all(len(each) <= most for each in table.groups)

    asyncio.run(play())
