"""A call that is only tried, and what the draft would make of one that was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import asyncpg
import pytest

from gateway.store.admin.staff import replace_staff
from routing.texts.catalogue import Language
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store


def _address(**fields: str) -> str:
    return f"/calls/try?{urlencode(fields)}"


async def test_a_made_up_call_is_told_like_a_real_one_and_writes_nothing(
    site: Site, pool: asyncpg.Pool
) -> None:
    await name_client(pool, CLIENT, "Климова Наталья")
    person = site.as_("senior_manager")
    form = await person.get("/calls/try")
    assert form.status == 200, form.text
    assert len([a for a in form.page.all("a") if a["href"].startswith("/calls/try?number=")]) == 3
    answer = await person.get(
        _address(number="8 (916) 123-45-67", who="anna", result="answered", talked="90")
    )
    assert answer.status == 200, answer.text
    assert "Климова Наталья" in answer.words
    assert len(answer.page.by_id("why").all("li", cls="cm-step-decided")) == 1
    assert answer.page.by_id("writes").all("li")
    assert "только проверка" in answer.words
    assert answer.page.one("option", value="anna", selected="").text == "Анна"
    for table in ("decision", "effect", "call"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert (await site.as_("manager").get("/calls/try")).status == 403


async def test_a_number_that_was_not_understood_says_how_it_was_read(site: Site) -> None:
    person = site.as_("admin", language="en")
    read = {
        "101": "read as an extension",
        "+74951230000": "company's own number",
        "abc": "not a phone number",
    }
    for number, words in read.items():
        assert words in (await person.get(_address(number=number))).words, number
    bad = await person.get(_address(number=CLIENT, talked="-1", at="tomorrow", who="x"))
    assert bad.words.count("There is no such value") == 1
    assert "“-1” does not fit. It takes a whole number of seconds" in bad.page.by_id("talked-error").text
    assert bad.page.by_id("talked")["value"] == "-1"
    assert "Write a day and a time" in bad.page.by_id("at-error").text


async def test_the_draft_is_played_on_a_call_that_was(site: Site, pool: asyncpg.Pool) -> None:
    await store(pool, a_call("c1", timedelta(minutes=5), answered_by="101"))
    page = await site.as_("admin").get("/calls/c1/draft")
    assert page.status == 200, page.text
    assert "Черновик сделал бы иначе" in page.words
    assert "Ничего не записано" in page.page.by_id("done").text
    assert page.page.by_id("writes").all("li")
    assert (await site.as_("admin").get("/calls/none/draft")).status == 404


async def test_the_draft_does_the_same_although_somebody_is_named_otherwise_now(
    site: Site, pool: asyncpg.Pool
) -> None:
    await store(pool, a_call("c1", timedelta(minutes=5), answered_by="101"))
    person = site.as_("senior_manager")
    keys = [f["value"] for f in (await person.get("/calls/c1/again")).page.all("input", name="key")]
    assert (await person.post("/calls/c1/again", {"key": keys})).status == 303
    assert "Черновик сделал бы то же самое" in (await person.get("/calls/c1/draft")).words
    async with pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA.model_copy(update={"name": "Анна Петровна"})])
    assert "Черновик сделал бы то же самое" in (await person.get("/calls/c1/draft")).words


async def test_a_call_of_which_nothing_is_known_any_more_is_played_with_what_is_known_now(
    site: Site, pool: asyncpg.Pool
) -> None:
    await store(pool, a_call("c1", timedelta(minutes=5), answered_by="101"))
    await pool.execute(
        "INSERT INTO decision (account_id, decision_id, kind, at, call_id, client, reason, outcome, steps, inputs)"
        " VALUES ($1, 'old', 'matrix', now(), 'c1', $2, 'ordered', '{\"effects\": []}', '[]', '{}')",
        ACCOUNT,
        CLIENT,
    )
    page = await site.as_("admin").get("/calls/c1/draft")
    assert page.status == 200, page.text
    assert "черновик получил то, что известно сейчас" in page.words
    assert page.page.by_id("writes").all("li")


async def test_a_call_is_run_again_with_what_is_new_and_only_that(site: Site, pool: asyncpg.Pool) -> None:
    await store(pool, a_call("c1", timedelta(minutes=5), answered_by="101"))
    person = site.as_("senior_manager")
    page = await person.get("/calls/c1/again")
    assert page.status == 200, page.text
    keys = [field["value"] for field in page.page.all("input", name="key")]
    assert keys
    assert not await pool.fetchval("SELECT count(*) FROM effect")
    moved = await person.post("/calls/c1/again", {"key": [*keys, "c1:other"]})
    assert moved.status == 409
    assert "появилось бы уже другое" in moved.words
    done = await person.post("/calls/c1/again", {"key": keys})
    assert (done.status, done.location) == (303, "/calls/c1")
    assert [r["effect_key"] for r in await pool.fetch("SELECT effect_key FROM effect ORDER BY seq")] == keys
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE what = 'call'") == 1
    again = await person.get("/calls/c1/again")
    assert "Ничего нового не появится" in again.words
    assert "Ждёт отправки" in (await person.get("/calls/c1")).words
    assert (await site.as_("manager").get("/calls/c1/again")).status == 403


async def test_a_call_that_goes_on_is_not_run_again_and_it_is_said_so(site: Site, pool: asyncpg.Pool) -> None:
    row = a_call("c1", timedelta(minutes=5), answered_by="101")
    await store(pool, replace(row, call=row.call.model_copy(update={"is_over": False})))
    person = site.as_("senior_manager")
    for answer in (await person.get("/calls/c1/again"), await person.post("/calls/c1/again", {"key": []})):
        assert (answer.status, "Этот звонок нельзя выполнить заново" in answer.words) == (409, True)


async def test_a_missed_call_that_is_run_again_has_one_case_and_one_task(
    site: Site, pool: asyncpg.Pool
) -> None:
    await store(pool, a_call("c1", timedelta(minutes=5)))
    person = site.as_("senior_manager")
    keys = [f["value"] for f in (await person.get("/calls/c1/again")).page.all("input", name="key")]
    assert (await person.post("/calls/c1/again", {"key": keys})).status == 303
    tasks = "SELECT effect_key FROM effect WHERE what = 'create_task'"
    [task] = [r["effect_key"] for r in await pool.fetch(tasks)]
    case = await pool.fetchrow("SELECT case_id, missed_calls FROM missed_case WHERE state = 'open'")
    assert case is not None
    assert (task, case["missed_calls"]) == (f"case:{case['case_id']}:task", ["c1"])
    assert "Ничего нового не появится" in (await person.get("/calls/c1/again")).words
    assert (await person.post("/calls/c1/again", {"key": keys})).status == 409
    await pool.execute("DELETE FROM decision")  # kept for fewer days than cases
    assert "Перезвонить" not in (await person.get("/calls/c1/again")).page.by_id("fresh").text
    assert len(await pool.fetch(tasks)) == 1


async def test_who_talked_with_the_client_since_needs_no_task_when_a_missed_call_is_run_again(
    site: Site, pool: asyncpg.Pool
) -> None:
    await store(
        pool, a_call("c1", timedelta(minutes=50)), a_call("c2", timedelta(minutes=5), answered_by="101")
    )
    fresh = (await site.as_("senior_manager").get("/calls/c1/again")).page.by_id("fresh").text
    assert "Звонок" in fresh
    assert "Перезвонить" not in fresh


async def test_a_made_up_call_is_started_with_the_sandbox_only(site: Site, pool: asyncpg.Pool) -> None:
    person, form = site.as_("admin"), {"number": "8 900 000-14-23", "who": ""}
    assert "Начать придуманный звонок" not in (await person.get("/calls/try")).words
    assert (await person.post("/calls/try/start", form)).status == 422
    await pool.execute("UPDATE account SET base_url = 'http://127.0.0.1:9'")
    await site.process.configuration.reload()
    assert "Начать придуманный звонок" in (await person.get("/calls/try")).words
    assert (await person.post("/calls/try/start", {"number": "abc"})).status == 422
    assert (await person.post("/calls/try/start", {**form, "who": "nobody"})).status == 422
    started = await person.post("/calls/try/start", form)
    assert (started.status, started.location) == (303, "/calls")
    row = await pool.fetchrow("SELECT client, events FROM inbox")
    assert row is not None
    assert row["client"] == "+79000001423"
    assert [event["kind"] for event in row["events"]] == ["started", "rang"]


@pytest.mark.parametrize(("language", "said"), [("ru", "Он ещё идёт"), ("en", "It goes on")])
async def test_a_call_that_goes_on_is_not_said_to_be_none(
    site: Site, pool: asyncpg.Pool, language: Language, said: str
) -> None:
    row = a_call("c1", timedelta(minutes=1))
    goes_on = row.call.model_copy(update={"is_over": False, "ended_at": None})
    await store(pool, replace(row, call=goes_on))
    told = await site.as_("admin", language=language).get("/calls/c1/draft")
    assert (told.status, said in told.words) == (409, True)
