"""The directory's memory."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.directory.memory import SEGMENT, Directory, SegmentBuilder
from crm.store.encoding import decode
from routing.client import Candidate


def encoded(*ids: str, kind: str = "c") -> bytes:
    return orjson.dumps([[kind, id, "7", 1_700_000_000, "Иван", 0] for id in ids])


def a_directory(rows: dict[int, bytes], segment: int = SEGMENT) -> Directory:
    builder = SegmentBuilder(segment)
    items = sorted(rows.items())
    for start in range(0, len(items), 700):  # chunks that fit no segment
        builder.add(items[start : start + 700])
    directory = Directory("a", segment)
    directory.replace(builder.finish())
    return directory


def test_a_number_leads_to_all_that_was_stored_for_it() -> None:
    rows = orjson.dumps(
        [["c", "1", "7", 5, "Анна", 1], ["d", "2", "", 6, "Deal", 0], ["o", "3", "8", 0, "", 0]]
    )
    directory = a_directory({79001234567: rows})
    assert list(directory.find(79001234567)) == [
        Candidate("contact", "1", "7", 5, "Анна", True),
        Candidate("deal", "2", "", 6, "Deal", False),
        Candidate("company", "3", "8", 0, "", False),
    ]


def test_an_empty_directory_knows_nobody() -> None:
    assert list(Directory("a").find(79001234567)) == []
    assert list(a_directory({}).find(0)) == []


def test_numbers_beside_a_known_one_are_unknown() -> None:
    directory = a_directory({n: encoded(str(n)) for n in range(10, 40_000, 10)})
    for number in (0, 9, 11, 10_241, 39_989, 39_991, 1 << 60):
        assert list(directory.find(number)) == [], number
    for number in (10, 10_240, 10_250, 39_990):
        assert [c.id for c in directory.find(number)] == [str(number)]


def test_a_change_shows_at_once_and_a_number_that_leads_nowhere_is_unknown() -> None:
    directory = a_directory({1: encoded("1"), 2: encoded("2")})
    version = directory.version
    directory.change([(1, encoded("9")), (2, b""), (3, encoded("3"))])
    assert [[c.id for c in directory.find(n)] for n in (1, 2, 3)] == [["9"], [], ["3"]]
    assert directory.version > version


async def test_settling_keeps_the_answers_and_empties_the_recent_changes() -> None:
    rows = {n: encoded(str(n)) for n in range(0, 6000, 2)}
    directory = a_directory(rows)
    changes = {n: encoded(f"new-{n}") if n % 3 else b"" for n in range(0, 9000, 5)}
    directory.change(changes.items())
    await directory.settle()
    rows.update(changes)
    assert not directory._recent
    assert len(directory) == sum(1 for v in rows.values() if v)
    for number in range(9001):
        assert [c.id for c in directory.find(number)] == [
            c.id for c in (decode(rows[number]) if rows.get(number) else [])
        ]


async def test_a_directory_can_be_emptied_and_filled_again() -> None:
    directory = a_directory({n: encoded(str(n)) for n in range(3000)})
    directory.change((n, b"") for n in range(3000))
    await directory.settle()
    assert len(directory) == 0
    directory.change((n, encoded(str(n))) for n in range(5000))
    await directory.settle()
    assert len(directory) == 5000
    assert [c.id for c in directory.find(4999)] == ["4999"]


async def test_settling_lets_others_run_every_few_milliseconds() -> None:
    directory = a_directory({n * 3: encoded(str(n)) for n in range(60_000)})
    directory.change((n * 17, encoded("x")) for n in range(20_000))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await directory.settle()
    task.cancel()
    assert turns >= 5


async def test_changes_and_a_reload_while_settling_are_not_lost() -> None:
    directory = a_directory({n: encoded(str(n)) for n in range(20_000)})
    directory.change((n, encoded("old")) for n in range(0, 20_000, 3))
    settling = asyncio.create_task(directory.settle())
    await asyncio.sleep(0)
    directory.change((n, encoded("newer")) for n in range(0, 20_000, 6))
    await settling
    assert [directory.find(n)[0].id for n in (0, 3, 6, 19_998)] == ["newer", "old", "newer", "newer"]
    directory.change((n, encoded("late")) for n in range(10_000))
    settling = asyncio.create_task(directory.settle())
    await asyncio.sleep(0)
    directory.replace(a_directory({5: encoded("reloaded")})._segments)
    await settling
    assert [c.id for c in directory.find(5)] == ["reloaded"]
    assert len(directory) == 1


def test_age_counts_from_the_last_agreement() -> None:
    directory = Directory("a")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert directory.age_ms(now.timestamp()) is None
    directory.in_sync_at = now - timedelta(seconds=1.5)
    assert directory.age_ms(now.timestamp()) == 1500
    assert directory.age_ms((now - timedelta(minutes=1)).timestamp()) == 0  # clocks differ: never negative


def test_a_typical_number_takes_less_than_150_bytes() -> None:
    def contact(n: int) -> list[object]:
        return ["c", str(10_000_000 + n), "7654321", 1_760_000_000, f"Иванов Иван {n}", int(n % 3 == 0)]

    def rows(n: int) -> bytes:
        deal = ["d", str(50_000_000 + n), "7654321", 1_760_000_000, f"Сделка {n}", 0]
        return orjson.dumps([contact(n), deal] if n % 3 == 0 else [contact(n)])

    directory = a_directory({79_000_000_000 + n * 7: rows(n) for n in range(20_000)})
    assert directory.memory_bytes() / len(directory) < 150


_NUMBERS = st.integers(min_value=0, max_value=400)
_CHANGES = st.dictionaries(_NUMBERS, st.sampled_from([b"", encoded("1"), encoded("2", "3")]), max_size=120)


@settings(max_examples=150, deadline=None)
@given(start=_CHANGES, steps=st.lists(st.tuples(_CHANGES, st.booleans()), max_size=6), size=st.integers(1, 9))
def test_changes_and_settling_give_what_a_plain_dict_gives(
    start: dict[int, bytes], steps: list[tuple[dict[int, bytes], bool]], size: int
) -> None:
    model = {n: v for n, v in start.items() if v}
    directory = a_directory(model, segment=size)  # many small segments, so that cuts and joins happen
    for changes, is_settled in steps:
        directory.change(changes.items())
        model.update(changes)
        if is_settled:
            asyncio.run(directory.settle())
    for number in range(401):
        assert list(directory.find(number)) == (decode(model[number]) if model.get(number) else [])
    asyncio.run(directory.settle())
    assert len(directory) == sum(1 for v in model.values() if v)
    assert list(directory._firsts) == [s.numbers[0] for s in directory._segments]


def test_random_lookups_among_many_segments_agree_with_a_dict() -> None:
    chance = random.Random(4)
    rows = {chance.randrange(10**11): encoded(str(i)) for i in range(12_000)}
    directory = a_directory(rows)
    assert len(directory) == len(rows)
    for number, value in rows.items():
        assert list(directory.find(number)) == decode(value)
