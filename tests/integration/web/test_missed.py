"""Missed calls on pages: the longest first; taken, closed with a note and called back without script; a manager's are their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from gateway.store.admin.accounts import add_connection
from gateway.store.admin.bindings import Bindings
from gateway.store.calls.missed_calls import case, save_case
from routing.client import ClientKind
from routing.missed_calls import Case
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.browser import Answer, Browser, Site
from tests.integration.web.calls_on_pages import a_call, name_client, store

LONG, SHORT, THEIRS = "+79990001122", "+79990001133", "+79990001144"
ANNAS = ANNA.crm_user_id
_DAY = timedelta(days=1)


def a_case(client: str, ago: timedelta, due: timedelta, **fields: Any) -> Case:
    now = datetime.now(UTC)
    base: dict[str, Any] = {
        "id": f"m{client[-2:]}", "client": client, "opened_at": now - ago, "last_missed_at": now - ago,
        "missed_calls": (f"m{client[-2:]}",), "owner_id": ANNAS, "target": None, "task_text": "Call back",
        "task_due_at": now + due,
    }  # fmt: skip
    return Case(**{**base, **fields})


@pytest.fixture
async def waiting(site: Site, pool: asyncpg.Pool) -> Site:
    await name_client(pool, LONG, "Анна Третьякова")
    await store(pool, a_call("m22", _DAY, client=LONG), a_call("back", timedelta(hours=1), client=THEIRS))
    async with pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(SHORT, timedelta(minutes=5), _DAY, owner_id="99"))
        await save_case(
            conn, ACCOUNT, a_case(LONG, 4 * _DAY, -3 * _DAY, target={"kind": "contact", "id": "501"})
        )
        closed = {
            "state": "closed",
            "closed_at": datetime.now(UTC),
            "waited_seconds": 540,
            "closed_by": "Анна",
        }
        await save_case(conn, ACCOUNT, a_case(THEIRS, _DAY, _DAY, **closed, closed_by_call="back"))
    return site


def clients(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text[:2000]
    section = answer.page.by_id("missed-waiting")
    return [row.all("a")[0].text for row in section.all("tr") if row.all("a")]


def manager(site: Site, **fields: Any) -> Browser:
    return site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id), **fields)


async def test_who_waits_longest_stands_first_with_the_way_to_mend_it(waiting: Site) -> None:
    page = await waiting.as_("senior_manager").get("/missed")
    assert clients(page) == ["Анна Третьякова", "Новый клиент"]
    words = page.words
    assert "просрочен на 3 д" in words
    assert "клиент дозвонился сам" in words  # the call that closed it was the client's
    assert "5–15" in words
    assert "Просрочены 1" in words
    assert not re.search(r' (style|on\w+)="', page.text)
    assert clients(await waiting.as_("senior_manager").get("/missed?only=overdue")) == ["Анна Третьякова"]
    assert clients(await waiting.as_("senior_manager").get("/missed?only=new")) == ["Новый клиент"]
    assert clients(await waiting.as_("senior_manager").get("/missed?person=99")) == ["Новый клиент"]


async def test_new_is_who_was_not_known_when_they_called_whatever_the_call_created(
    waiting: Site, pool: asyncpg.Pool
) -> None:
    """A new client's call leaves a contact with the number for a name; a known client may have no name at all."""
    new, nameless = "+79990001155", "+79990001166"
    await name_client(pool, new, "8 (999) 000-11-55", "555")
    await store(
        pool,
        a_call("m55", _DAY, client=new, client_kind=ClientKind.NEW),
        a_call("m66", _DAY, client=nameless, client_kind=ClientKind.KNOWN_WITHOUT_DEAL),
        a_call("m77", _DAY, client=LONG, client_kind=ClientKind.NEW),
    )
    created = {"kind": "deal", "effect": "m55:deal"}
    async with pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(new, _DAY, _DAY, target=created))
        await save_case(conn, ACCOUNT, a_case(nameless, 2 * _DAY, _DAY))
        await save_case(conn, ACCOUNT, a_case(LONG, 4 * _DAY, -3 * _DAY, state="closed"))
        await save_case(conn, ACCOUNT, a_case(LONG, timedelta(hours=1), _DAY, id="m77"))
    senior = waiting.as_("senior_manager")
    assert clients(await senior.get("/missed")) == [
        "Клиент без имени", "Новый клиент", "Анна Третьякова", "Новый клиент",
    ]  # fmt: skip
    only = await senior.get("/missed?only=new")
    assert clients(only) == ["Новый клиент", "Анна Третьякова", "Новый клиент"]
    assert "Новые клиенты 3" in only.words
    assert "сделки ещё нет в CRM" in only.words
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, crm_id)'
        " VALUES ($1, 'm55:deal', 'd', $2, 1, 'create_deal', '{}', 'done', '777')",
        ACCOUNT,
        new,
    )
    row = next(
        row for row in (await senior.get("/missed")).page.by_id("missed-waiting").all("tr")
        if row.all("a", href="/calls/m55")
    )  # fmt: skip
    assert any(link["href"].endswith("/leads/detail/777") for link in row.all("a"))
    now = (await senior.get("/")).page.by_id("now-waiting")
    assert [a.text for a in now.all("a") if a["href"].startswith("/calls/")][:2] == [
        "Клиент без имени",
        "Новый клиент",
    ]
    names = {a["href"]: a.text for a in (await senior.get("/calls?period=all")).page.all("a")}
    assert (names["/calls/m55"], names["/calls/m66"]) == ("Новый клиент", "Клиент без имени")


async def test_a_manager_sees_and_touches_their_own_only(waiting: Site) -> None:
    anna = manager(waiting)
    assert clients(await anna.get("/missed")) == ["Анна Третьякова"]
    assert (await anna.get("/missed/m33/close")).status == 404
    assert (await anna.post("/missed/m33/close", {"note": "not mine"})).status == 404
    nobody = waiting.as_("manager", bound=Bindings(account_id=ACCOUNT))
    assert "не привязан к сотруднику" in (await nobody.get("/missed")).words
    assert (await nobody.get("/missed/count")).page.text == ""
    assert (await anna.get("/missed/count")).page.text == "1"
    entry = next(
        a for a in (await anna.get("/missed")).page.all("a", cls="cm-nav-entry") if a["href"] == "/missed"
    )
    assert entry.text == "Пропущенные 1"


async def test_every_link_of_a_manager_leads_to_a_page_that_opens(waiting: Site, pool: asyncpg.Pool) -> None:
    """Who owes a client a call back may read the call that was missed, whoever it rang; of other calls there is no link."""
    boss = {"rung": ("102",), "people": ("boss",)}
    await store(
        pool,
        a_call("m22", _DAY, client=LONG, **boss),
        a_call("earlier", 2 * _DAY, client=LONG, **boss),
        a_call("back", timedelta(hours=1), client=THEIRS, answered_by="101"),
        a_call("m44", _DAY, client=THEIRS, **boss),
    )
    anna, seen = manager(waiting), set[str]()
    left = ["/me", "/calls?period=all", "/missed", "/missed/closed", "/distribution", "/shifts"]
    while left:
        path = left.pop()
        page = await anna.get(path)
        assert page.status in (200, 303), (path, page.words)
        links = {a["href"].partition("#")[0] for a in page.page.all("a") if a.get("href")}
        new = {link for link in links if link.startswith("/") and link != "/help"} - seen
        seen |= new
        left += new if path.count("/") < 3 else []
    assert {"/calls/m22", "/calls/m44", "/calls/back"} <= seen
    assert "/calls/earlier" not in seen
    for path in ("/calls/earlier", "/calls/earlier/recording/1", "/calls/nothing"):
        refused = await anna.get(path)
        assert (refused.status, "Такого звонка у вас нет" in refused.words) == (404, True)
    await pool.execute("UPDATE missed_case SET owner_id = '99' WHERE case_id = 'm22'")
    assert (await anna.get("/calls/m22")).status == 404


async def test_who_only_looks_sees_no_number_and_no_button(waiting: Site) -> None:
    looks = waiting.as_("read_only", language="en")
    for path in ("/missed", "/missed/closed", "/missed/waits"):
        page = await looks.get(path)
        assert page.status == 200
        assert not re.search(r"999\D*000\D*11\D*(22|33|44)", page.words), path
        assert not re.search(r"9990001(122|133|144)", page.text), path
    section = (await looks.get("/missed")).page.by_id("missed-waiting")
    assert section.all("form", method="post") == []
    assert (await looks.post("/missed/m22/close", {"note": "no right"})).status == 403


async def test_a_case_is_closed_with_a_note_and_the_crm_is_told(waiting: Site, pool: asyncpg.Pool) -> None:
    senior = waiting.as_("senior_manager")
    question = await senior.get("/missed/m22/close")
    assert "Закрыть без перезвона: Анна Третьякова" in question.words
    refused = await senior.post("/missed/m22/close", {"note": " x "})
    assert (refused.status, "от 3 до 500 знаков" in refused.words) == (422, True)
    done = await senior.post("/missed/m22/close", {"note": "ошибся номером"})
    assert (done.status, done.location) == (303, "/missed")
    async with pool.acquire() as conn:
        closed = await case(conn, ACCOUNT, "m22")
        assert (closed.state, closed.closed_note) == ("closed", "ошибся номером")
        effect = await conn.fetchrow("SELECT what, \"order\" FROM effect WHERE effect_key = 'case:m22:done'")
        assert effect is not None
        assert (effect["what"], effect["order"]["result"]) == ("change_task", "ошибся номером")
        row = await conn.fetchrow("SELECT reason, client FROM decision WHERE kind = 'case'")
        assert row is not None
        assert tuple(row) == ("case_closed_by_hand", LONG)
        assert await conn.fetchval("SELECT action FROM audit WHERE what = 'case'") == "closed"
    assert "закрыто с пометкой «ошибся номером»" in (await senior.get("/missed/closed")).words
    again = await senior.post("/missed/m22/close", {"note": "once more"})
    assert again.status == 303


async def test_a_task_is_taken_by_who_is_an_employee(waiting: Site, pool: asyncpg.Pool) -> None:
    anna = waiting.as_("senior_manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id))
    assert (await anna.post("/missed/m33/take")).status == 303
    async with pool.acquire() as conn:
        assert (await case(conn, ACCOUNT, "m33")).owner_id == ANNAS
        order = await conn.fetchval("SELECT \"order\" FROM effect WHERE effect_key = 'case:m33:change:1'")
        assert order["owner_id"] == ANNAS
    refused = await waiting.as_("senior_manager").post("/missed/m33/take")
    assert (refused.status, "Взять нельзя" in refused.words) == (422, True)


async def test_a_client_is_called_back_where_the_pbx_can(waiting: Site, pool: asyncpg.Pool) -> None:
    anna = manager(waiting)
    assert "Перезвонить:" not in (await anna.get("/missed")).text
    refused = await anna.post("/missed/m22/call")
    assert (refused.status, "АТС" in refused.words) == (422, True)
    async with pool.acquire() as conn, conn.transaction():
        await add_connection(
            conn, account_id=ACCOUNT, name="calls", kind="generic", secret="s2",
            settings={"originate_url": "http://pbx.example/call"},
        )  # fmt: skip
    await waiting.process.configuration.reload()
    page = await anna.get("/missed")
    assert 'aria-label="Перезвонить: Анна Третьякова, +7' in page.text
    assert "cm-button-tall" in page.text
    assert (await anna.post("/missed/m22/call")).status == 303
    row = await pool.fetchrow("SELECT client, target, connection, source, priority FROM outbound_item")
    assert row is not None
    assert dict(row) == {
        "client": LONG, "target": {"kind": "employee", "employee_id": ANNA.id}, "connection": "calls",
        "source": "api", "priority": -1,
    }  # fmt: skip
    await anna.post("/missed/m22/call")
    assert await pool.fetchval("SELECT count(*) FROM outbound_item") == 1
    await _is_said_and_stopped(anna, pool)


async def _is_said_and_stopped(anna: Browser, pool: asyncpg.Pool) -> None:
    """Who pressed once is told of each further attempt, and may have enough of it."""

    async def row() -> str:
        return (await anna.get("/missed")).page.by_id("missed-waiting").one("tbody").text

    assert "Перезвон: попытка 1 сейчас начнётся" in await row()
    await pool.execute("UPDATE outbound_item SET reason = 'nobody_free', look_at = now() + interval '5 s'")
    assert "Перезвон: попытка 1 ждёт: никто из тех, кто может взять звонок, не свободен" in await row()
    again_at = datetime.now(UTC) + timedelta(minutes=2)
    await pool.execute("UPDATE outbound_item SET state = 'dialling'")
    await pool.execute(
        "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, state, claimed_at, look_at)"
        " SELECT account_id, 'a1', item_id, kind, client, connection, 'over', now(), now() FROM outbound_item"
    )
    assert "Перезвон: идёт попытка 2" in await row()
    await pool.execute("UPDATE outbound_item SET state = 'waiting', not_before = $1", again_at)
    said = await row()
    assert f"Перезвон: попытка 2 в {again_at.astimezone(ZoneInfo('Europe/Moscow')):%H:%M}" in said
    assert "Остановить" in said
    assert (await anna.post("/missed/m22/stop")).status == 303
    assert tuple(await pool.fetchrow("SELECT state, reason FROM outbound_item") or ()) == (
        "cleared",
        "cleared",
    )
    assert "Перезвон:" not in await row()
    await pool.execute("UPDATE outbound_item SET state = 'dialling', ended_at = NULL, expires_at = NULL")
    await anna.post("/missed/m22/stop")  # the phone rings to its end, and no more
    rung = await pool.fetchrow("SELECT state, expires_at <= now() AS no_more FROM outbound_item")
    assert rung is not None
    assert tuple(rung) == ("dialling", True)
    assert (await anna.post("/missed/m33/stop")).status == 404


async def test_how_long_clients_wait_is_told_by_person(waiting: Site) -> None:
    page = await waiting.as_("senior_manager", language="en").get("/missed/waits?days=30")
    people = page.page.by_id("missed-people")
    assert "9 min" in people.text
    assert "30 days" in page.words


async def test_nobody_waits(site: Site) -> None:
    page = await site.as_("senior_manager", language="en").get("/missed")
    assert "Everybody was called back." in page.words
    assert "No missed call was closed yet." in page.words


async def test_all_whom_the_filter_finds_come_as_a_table_without_formulas(waiting: Site) -> None:
    senior = waiting.as_("senior_manager")
    assert csv_address(await senior.get("/missed?only=new")) == "/missed/csv?only=new"
    table = await senior.get("/missed/csv?only=overdue&start=50")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    heads, row = table.text.lstrip("\ufeff").splitlines()
    assert heads.startswith("Ждёт с;Ждёт, рабочих минут;Перезвонить до;Клиент;Номер")
    assert f"Анна Третьякова;'{LONG}" in row
    assert len((await senior.get("/missed/csv")).text.splitlines()) == 3
    masked = await waiting.as_("read_only", language="en").get("/missed/csv")
    assert LONG[-7:-4] not in masked.text
    assert masked.text.lstrip("\ufeff").startswith("Waits since,")
    assert len((await manager(waiting).get("/missed/csv")).text.splitlines()) == 2, "their own"


def csv_address(page: Answer) -> str | None:
    return page.page.one("a", download="").get("href")
