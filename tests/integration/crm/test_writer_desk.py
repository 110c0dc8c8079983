"""The dead-letter desk: what, why and since when; retry, mend, set aside."""

from __future__ import annotations

import asyncpg
import pytest

from crm.effects import dead_letters
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import WriterBench, new_call

NUMBER = "+79161234567"


@pytest.fixture
async def bench(pool: asyncpg.Pool) -> WriterBench:
    bench = WriterBench(pool, FakeCrm())
    await bench.order(*new_call("c1", NUMBER))
    bench.crm.refuse("c1:contact", "NotSupportedChoice", "0.responsible_user_id", "bad")
    await bench.writer.drain()
    return bench


async def test_the_desk_says_in_plain_words_what_failed_and_why(bench: WriterBench) -> None:
    async with bench.pool.acquire() as conn:
        found = await dead_letters.items(conn, "a")
        assert [(i.key, i.what) for i in found] == [
            ("c1:contact", "создать контакт"),
            ("c1:deal", "создать сделку"),
            ("c1:note", "записать звонок"),
        ]
        assert "«ответственный»" in found[0].why
        assert "c1:contact" in found[1].why
        assert found[0].since == bench.now
        assert [i.key for i in await dead_letters.items(conn, "a", after=found[0].seq, limit=1)] == [
            "c1:deal"
        ]
        assert await dead_letters.count(conn, "a") == 3


@pytest.mark.parametrize("key", ["c1:contact", "c1:note"])
async def test_retrying_one_takes_along_what_it_needs_and_what_needs_it(bench: WriterBench, key: str) -> None:
    bench.crm.allow("c1:contact")
    async with bench.pool.acquire() as conn:
        assert await dead_letters.retry(conn, "a", [key]) == 3
    await bench.writer.drain()
    assert set((await bench.states()).values()) == {"done"}
    assert len(bench.crm.all("contact")) == len(bench.crm.all("deal")) == 1


async def test_retrying_all_that_still_fails_comes_back_to_the_desk(bench: WriterBench) -> None:
    async with bench.pool.acquire() as conn:
        assert await dead_letters.retry(conn, "a") == 3
        await bench.writer.drain()
        assert await dead_letters.count(conn, "a") == 3


async def test_a_mended_order_is_carried_out_as_mended(bench: WriterBench) -> None:
    async with bench.pool.acquire() as conn:
        order = dict((await dead_letters.items(conn, "a"))[0].order) | {"owner_id": "12"}
        bench.crm.allow("c1:contact")
        await dead_letters.edit_and_retry(conn, "a", "c1:contact", order)
    await bench.writer.drain()
    assert [c.owner_id for c in bench.crm.all("contact")] == ["12"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"do": "create_deal", "number": "1"}, "do"), ({"name": None}, "name"), ({"nmae": "x"}, "nmae")],
)
async def test_a_bad_order_is_refused_with_the_field_and_changes_nothing(
    bench: WriterBench, change: dict[str, str], field: str
) -> None:
    async with bench.pool.acquire() as conn:
        order = dict((await dead_letters.items(conn, "a"))[0].order) | change
        with pytest.raises(dead_letters.OrderInvalid) as err:
            await dead_letters.edit_and_retry(conn, "a", "c1:contact", order)
        assert err.value.field == field
        assert await dead_letters.count(conn, "a") == 3


async def test_what_is_ignored_leaves_the_desk_with_a_note_and_is_never_sent(bench: WriterBench) -> None:
    async with bench.pool.acquire() as conn:
        assert await dead_letters.ignore(conn, "a", ["c1:contact"], "a test call") == 3
        assert await dead_letters.count(conn, "a") == 0
    bench.crm.allow("c1:contact")
    await bench.writer.drain()
    assert bench.crm.all("deal") == []
    assert (await bench.row("c1:contact"))["note"] == "a test call"


async def test_an_effect_that_is_not_on_the_desk_cannot_be_edited(bench: WriterBench) -> None:
    async with bench.pool.acquire() as conn:
        with pytest.raises(dead_letters.DeskItemGone):
            await dead_letters.edit_and_retry(conn, "a", "c1:task", {"do": "create_task"})
