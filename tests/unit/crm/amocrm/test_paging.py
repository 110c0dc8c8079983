"""Pages of lists against a CRM that answers 504 to what is too large for it at the moment."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.amocrm.fields import Node
from crm.amocrm.rows.page import page_of
from crm.amocrm.rows.paging import Paging, Query
from crm.errors import CrmTooLarge, CrmUnavailable
from crm.lane import Lane


class LimitedGateway:
    """A list of numbered rows. most: rows a page may hold at each request, the last one for the rest."""

    def __init__(self, rows: int, most: list[int]) -> None:
        self.rows, self._most = rows, most
        self.asked: list[int] = []

    async def get(self, path: str, lane: Lane, query: Query) -> Node | None:
        values = dict(query)
        page, limit = int(values["page"]), int(values["limit"])
        self.asked.append(limit)
        if limit > self.most():
            raise CrmTooLarge("504")
        rows = list(range(self.rows))[(page - 1) * limit : page * limit]
        if not rows:
            return None
        links = {"next": {"href": "…"}} if page * limit < self.rows else {}
        return Node({"_links": links, "_embedded": {"leads": [{"id": row} for row in rows]}})

    def most(self) -> int:
        return self._most[min(len(self.asked), len(self._most)) - 1]


async def _read_all(paging: Paging, limit: int) -> list[int]:
    found: list[int] = []
    page = 1
    while True:
        answer = await paging.page("/leads", "leads", Lane.SYNC, (), page=page, limit=limit)
        if answer is None:
            return found
        found += [row.get("id").number() for row in answer.at("_embedded", "leads").items()]
        if answer.at("_links", "next", "href").is_absent:
            return found
        page += 1


@given(
    rows=st.integers(0, 700),
    most=st.lists(st.sampled_from([1, 3, 10, 25, 50, 100, 125, 200, 250]), min_size=1, max_size=40),
    limit=st.sampled_from([100, 250]),
)
def test_no_row_is_lost_and_none_comes_twice_whatever_size_the_crm_digests(
    rows: int, most: list[int], limit: int
) -> None:
    gateway = LimitedGateway(rows, [*most, 250])
    assert asyncio.run(_read_all(Paging(gateway.get), limit)) == list(range(rows))


async def test_the_size_that_was_found_is_kept_for_the_next_page() -> None:
    gateway = LimitedGateway(1000, [60])
    await _read_all(Paging(gateway.get), 250)
    assert gateway.asked[:4] == [250, 125, 25, 25]
    assert sum(1 for size in gateway.asked if size > 60) <= 4, "it feels its way up now and then only"


async def test_a_crm_that_cannot_tell_even_one_row_is_unavailable_and_its_next_page_is_tried_whole() -> None:
    gateway = LimitedGateway(10, [0, 0, 0, 0, 0, 250])
    paging = Paging(gateway.get)
    with pytest.raises(CrmUnavailable):
        await paging.page("/leads", "leads", Lane.SYNC, (), page=1, limit=250)
    assert gateway.asked == [250, 125, 25, 5, 1]
    assert await paging.page("/leads", "leads", Lane.SYNC, (), page=1, limit=250) is not None
    assert gateway.asked[-1] == 250


@given(count=st.integers(1, 300), most=st.lists(st.sampled_from([1, 7, 40, 100]), min_size=1, max_size=20))
def test_reads_by_id_ask_for_each_id_until_it_was_answered_once(count: int, most: list[int]) -> None:
    answered: list[str] = []
    asks = 0

    async def ask(some: list[str]) -> None:
        nonlocal asks
        asks += 1
        if len(some) > most[min(asks, len(most)) - 1]:
            raise CrmTooLarge("504")
        answered.extend(some)

    ids = [str(n) for n in range(count)]
    asyncio.run(Paging(LimitedGateway(0, [1]).get).of_ids("/leads", ids, ask))
    assert answered == ids


@pytest.mark.parametrize("links", ["none", 0, ["next"], {"next": "/leads?page=2"}])
async def test_a_page_whose_links_make_no_sense_is_told_all_the_same(links: object) -> None:
    async def get(path: str, lane: Lane, query: Query) -> Node:
        return Node({"_links": links, "_embedded": {"leads": [{"id": 1}]}})

    answer = await Paging(get).page("/leads", "leads", Lane.SYNC, (), page=1, limit=250)
    page = page_of(answer, "leads", lambda row: row.get("id").number())
    assert (page.items, page.has_next) == ((1,), True)


async def test_an_answer_that_is_an_empty_array_ends_a_page_that_was_asked_for_in_parts() -> None:
    async def get(path: str, lane: Lane, query: Query) -> Node:
        values = dict(query)
        if values["limit"] == "250":
            raise CrmTooLarge("504")
        more = {"_links": {"next": {"href": "…"}}, "_embedded": {"leads": [{"id": 1}]}}
        return Node(more if values["page"] == "1" else [])

    answer = await Paging(get).page("/leads", "leads", Lane.SYNC, (), page=1, limit=250)
    page = page_of(answer, "leads", lambda row: row.get("id").number())
    assert (page.items, page.has_next) == ((1,), False)
