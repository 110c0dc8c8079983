"""The journal as a person reads it without script."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import asyncpg
import pytest

from gateway.store.admin.bindings import Bindings
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Answer, Site
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store

_MINUTE = timedelta(minutes=1)
_ALL = "/calls?period=all"


@pytest.fixture
async def calls(site: Site, pool: asyncpg.Pool) -> Site:
    await store(
        pool,
        a_call("old", timedelta(days=40), answered_by="101"),
        a_call("c1", 3 * _MINUTE, answered_by="101"),
        a_call("c2", 2 * _MINUTE, client="+79990001122", rung=("102", "103")),
        a_call("c3", _MINUTE, client="+79031112233", direction="outbound", answered_by="999"),
    )
    await name_client(pool, CLIENT, "=Ёлкина Анна")
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state)'
        " VALUES ($1, 'e1', 'd', 'c1', $2, 1, 'create_task', '{}', 'dead')",
        ACCOUNT,
        CLIENT,
    )
    return site


def ids(answer: Answer) -> list[str]:
    """Of the table's rows."""
    assert answer.status == 200, answer.text
    tables = answer.page.all("table")
    links = [row.all("a")[0]["href"] for table in tables for row in table.all("tr") if row.all("a")]
    return [link.rpartition("/")[2].partition("?")[0] for link in links]


async def test_calls_stand_newest_first_with_who_why_and_what_was_written(calls: Site) -> None:
    page = await calls.as_("read_only").get(_ALL)
    assert ids(page) == ["c3", "c2", "c1", "old"]
    assert "Найдено 4: отвечено 3, пропущено 1" in page.words
    row = next(
        r for r in page.page.one("table").all("tr") if "/calls/c1" in str([a["href"] for a in r.all("a")])
    )
    assert "ответственный за сделку" in row.text
    assert "не отправлено: задача" in row.text
    assert "Ёлкина Анна" in row.text
    assert "не взяли 2 телефона" in page.words
    assert "+7 916 •••-45-67" in page.words
    assert CLIENT not in page.text
    assert "style=" not in page.text
    english = await calls.as_("admin", language="en").get(_ALL)
    assert "4 found: 3 answered, 1 missed" in english.words
    assert "+7 916 123-45-67" in english.words


async def test_each_filter_of_the_address_is_a_chip_that_can_be_taken_away(calls: Site) -> None:
    person = calls.as_("admin")
    asked = {
        "q=8 916 123 45 67": ["c1", "old"],
        "q=1122": ["c2"],
        "q=ёлкина": ["c1", "old"],
        "person=anna": ["c1", "old"],
        "result=missed": ["c2"],
        "direction=outbound": ["c3"],
        "reason=deal_owner": ["c3", "c1", "old"],
        "writes=dead": ["c1"],
        "line=%2B74951230000": ["c3", "c2", "c1", "old"],
    }
    for query, found in asked.items():
        assert ids(await person.get(f"{_ALL}&{quote(query, safe='=&%')}")) == found, query
    page = (await person.get(f"{_ALL}&result=missed&direction=inbound")).page
    assert {a["href"] for a in page.all("a", cls="cm-chip-clear")} == {
        "/calls?direction=inbound&period=all",
        "/calls?result=missed&period=all",
    }
    assert [s["value"] for s in page.one("select", id="result").all("option", selected="")] == ["missed"]


async def test_what_is_hidden_of_a_number_is_not_found_out_by_trying(calls: Site) -> None:
    """Whoever sees the last four digits finds by them, whatever stands before them in what they type."""
    person = calls.as_("read_only")
    for typed in ("+79161234567", "+79169994567", "1234567", "9994567", "4567"):
        assert ids(await person.get(f"{_ALL}&q={quote(typed)}")) == ["c1", "old"], typed
    assert ids(await calls.as_("admin").get(f"{_ALL}&q=%2B79169994567")) == []


async def test_a_filter_that_is_none_is_named_and_the_others_hold(calls: Site) -> None:
    page = await calls.as_("admin").get(
        f"{_ALL}&result=good&person=nobody&kind=x&since=tomorrow&direction=outbound"
    )
    assert ids(page) == ["c3"]
    for name in (
        "«Итог» не понят: «good»",
        "«Сотрудник» не понят: «nobody»",
        "«Вид звонка»",
        "«С какого дня»",
    ):
        assert name in page.words


async def test_pages_lead_to_older_and_newer_calls(calls: Site, pool: asyncpg.Pool) -> None:
    await store(pool, *(a_call(f"n{i:02}", timedelta(days=50, minutes=i)) for i in range(60)))
    person = calls.as_("admin")
    first = await person.get(_ALL)
    assert "1–50 из 64" in first.words
    second = await person.get(_link(first, "next"))
    assert "51–64 из 64" in second.words
    assert len({*ids(first), *ids(second)}) == 64
    assert ids(await person.get(_link(second, "prev"))) == ids(first)


def _link(answer: Answer, rel: str) -> str:
    return answer.page.one("a", rel=rel)["href"]


async def test_new_calls_are_announced_and_not_put_in(calls: Site, pool: asyncpg.Pool) -> None:
    person = calls.as_("admin")
    bar = (await person.get(_ALL)).page.by_id("calls-new")
    assert (await person.fragment(bar["hx-get"])).words == ""
    await store(pool, a_call("c4", timedelta(0)), a_call("c5", timedelta(0)))
    told = await person.fragment(bar["hx-get"])
    assert told.words == "2 новых звонка"
    assert told.page.one("a")["href"] == "/calls?period=all"


async def test_a_manager_sees_the_calls_that_they_took_part_in(calls: Site) -> None:
    anna = calls.as_("manager", bound=Bindings(employee="anna"))
    assert ids(await anna.get(_ALL)) == ["c1", "old"]
    assert ids(await anna.get(f"{_ALL}&person=boss")) == ["c1", "old"]
    nobody = await calls.as_("manager").get(_ALL)
    assert "не привязан к сотруднику" in nobody.words


async def test_an_empty_day_says_what_the_week_has(site: Site, pool: asyncpg.Pool) -> None:
    await store(pool, a_call("c1", timedelta(days=3)))
    page = await site.as_("admin").get("/calls")
    assert "За сегодня звонков нет. За неделю: 1." in page.words
    assert "Таких звонков нет" in (await site.as_("admin").get("/calls?result=missed")).words


async def test_the_table_has_the_whole_filter_and_no_formula(calls: Site) -> None:
    table = (await calls.as_("admin").get("/calls/csv?period=all&q=ёлкина")).text
    lines = table.removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("Начало;Направление;Номер клиента;Клиент")
    assert len(lines) == 3
    assert ";'+79161234567;'=Ёлкина Анна;отвечен;60;20;" in lines[1]
    masked = (await calls.as_("read_only").get("/calls/csv?period=all")).text
    assert "•••-45-67" in masked
    assert "9161234567" not in masked


async def test_a_filter_that_is_none_makes_no_table_of_all_calls(calls: Site) -> None:
    admin = calls.as_("admin")
    for wrong in ("result=odd&period=all", "since=tomorrow", "person=nobody&period=all"):
        table = await admin.get(f"/calls/csv?{wrong}")
        assert (table.status, table.location) == (303, f"/calls?{wrong}"), wrong
        assert wrong.partition("=")[2].partition("&")[0] in (await admin.get(table.location)).words
