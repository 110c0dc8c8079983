"""The page of one call: its answer, its course, why, and what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from gateway.store.admin.bindings import Bindings
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.store.intake.inbox import InboxMessage
from gateway.store.intake.inbox import store as store_messages
from routing.texts.catalogue import Language
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store

AGO = timedelta(minutes=5)
CALL_BACK = {
    "do": "create_task", "text": "Перезвонить", "due_at": "2025-11-27T15:00:00Z", "owner_id": "11", "target": None,
    "purpose": "call_back",
}  # fmt: skip


def a_lookup(**changes: Any) -> DecisionRow:
    owner = {"kind": "contact", "id": "501", "owner": "99", "employee": None}
    steps = [
        {"rule": "lead", "verdict": "passed", "because": "no_lead", "facts": {}},
        {"rule": "contact", "verdict": "excluded", "because": "owner_inactive", "facts": owner},
        {
            "rule": "deal",
            "verdict": "decided",
            "because": "deal_owner",
            "facts": {"kind": "deal", "id": "601", "owner": "11", "employee": "anna"},
        },
    ]
    outcome = {
        "outcome": "manager",
        "entity": {"kind": "deal", "id": "601", "name": "Кухня <b>"},
        "responsible": {"id": "anna", "name": "Анна"},
        "targets": [{"kind": "extension", "address": "101", "ring_seconds": 20}],
    }
    inputs = {
        "phone": "8 (916) 123-45-67",
        "did": None,
        "pbx_call_id": None,
        "connection": "office",
        "took_us": 800,
        "directory_age_ms": 1200,
        "candidates": [
            ["contact", "501", "99", 1, "Климова Н.", True],
            ["deal", "601", "11", 1, "Кухня <b>", False],
        ],
    }
    row: dict[str, Any] = {
        "account_id": ACCOUNT,
        "decision_id": "look",
        "kind": "lookup",
        "at": datetime.now(UTC) - AGO + timedelta(seconds=1),
        "call_id": None,
        "client": CLIENT,
        "reason": "deal_owner",
        "outcome": outcome,
        "steps": steps,
        "inputs": inputs,
    }
    return DecisionRow(**{**row, **changes})


def a_matrix_decision() -> DecisionRow:
    return DecisionRow(
        account_id=ACCOUNT,
        decision_id="m1",
        kind="matrix",
        at=datetime.now(UTC) - AGO + timedelta(seconds=80),
        call_id="c1",
        client=CLIENT,
        reason="ordered",
        outcome={
            "row": "inbound.answered.known_with_deal",
            "cell": "inbound.answered.known_with_deal/end",
            "moment": "end",
            "version": 1,
            "reason": "ordered",
            "effects": [],
        },
        steps=[{"rule": "cell", "verdict": "decided", "because": "ordered", "facts": {}}],
        inputs={},
    )


async def add_effect(pool: asyncpg.Pool, key: str, state: str, **order: Any) -> None:
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state, attempts,'
        " error_code, error_detail, crm_id) VALUES ($1, $2, 'm1', 'c1', $3, 1, $4, $5, $6, 2, 'refused', $7, '777')",
        ACCOUNT,
        key,
        CLIENT,
        order["do"],
        order,
        state,
        "нет поля" if state == "dead" else None,
    )


@pytest.fixture
async def call(site: Site, pool: asyncpg.Pool) -> Site:
    await store(
        pool,
        a_call("before", timedelta(days=2), rung=("101",)),
        a_call(
            "c1",
            AGO,
            answered_by="101",
            recording="http://pbx.example/rec.mp3?token=s3cret",
            params={"utm_source": "ya"},
        ),
    )
    async with pool.acquire() as conn:
        await add_decisions(conn, [a_lookup(), a_matrix_decision()])
    await name_client(pool, CLIENT, "Климова Наталья")
    deal = {"do": "create_deal", "name": "Кухня", "contact": {"kind": "contact", "id": "501"}}
    await add_effect(pool, "e1", "done", **deal)
    await add_effect(
        pool, "e2", "dead", do="add_note", target={"kind": "contact", "id": "501"}, text="+79161234567 звонил"
    )
    return site


async def test_the_page_begins_with_the_sentence_that_answers_why(call: Site) -> None:
    page = await call.as_("admin").get("/calls/c1")
    assert page.status == 200, page.words
    assert page.page.one("h1").text.startswith("Климова Наталья")
    note = page.page.all("div", cls="cm-note")[0]
    assert "Звонок принят по открытой сделке «Кухня <b>»: ответственный Анна, доб. 101." in note.text
    assert "Сначала проверено: Контакт «Климова Н.»" in note.text
    assert "<b>" not in page.text
    english = await call.as_("admin", language="en").get("/calls/c1")
    assert "responsible for the open deal “Кухня <b>”" in english.words


async def test_a_missed_call_says_what_became_of_the_task_that_its_case_wrote(
    site: Site, pool: asyncpg.Pool
) -> None:
    """The matrix orders the task, the case writes it: nothing waits that was written, or that nobody needed any more."""
    await store(pool, a_call("c1", AGO), a_call("c2", AGO), a_call("c3", AGO))
    plain = a_matrix_decision()
    rows = []
    for id in ("c1", "c2", "c3"):
        outcome = {**plain.outcome, "effects": [{"key": f"{id}:end:0", "order": CALL_BACK}]}
        rows.append(replace(plain, decision_id=f"m{id}", call_id=id, outcome=outcome))
    case = replace(plain, kind="case", steps=[], outcome={"case": {"id": "c1", "owner_id": "11"}})
    rows.append(replace(case, reason="case_opened"))
    rows.append(replace(case, reason="client_reached_already", decision_id="r", call_id="c2", outcome={}))
    async with pool.acquire() as conn:
        await add_decisions(conn, rows)
    await add_effect(pool, "case:c1:task", "waiting", **CALL_BACK)
    admin = site.as_("admin")

    async def says(id: str) -> str:
        return (await admin.get(f"/calls/{id}")).page.all("div", cls="cm-note")[0].text

    assert "Ждёт отправки в CRM: задача до 27.11.2025" in await says("c1")
    await pool.execute("UPDATE effect SET state = 'done' WHERE effect_key = 'case:c1:task'")
    assert "Создано: задача до 27.11.2025" in await says("c1")
    assert "Ждёт отправки" not in (await admin.get("/calls/c1")).words
    assert "Записывать в CRM больше ничего не нужно" in await says("c2")
    assert "По матрице: задача до 27.11.2025" in await says("c3")


async def test_the_trace_has_one_row_that_decided_and_names_of_then_and_now(call: Site) -> None:
    page = (await call.as_("admin").get("/calls/c1")).page
    why = page.by_id("why")
    assert len(why.all("li", cls="cm-step-decided")) == 1
    assert "звонить 101, 20 с" in why.all("li")[-1].text
    assert "«8 (916) 123-45-67» прочитан как +7 916 123-45-67" in why.all("li")[0].text
    excluded = why.one("li", cls="cm-step-excluded").text
    assert "Климова Н." in excluded
    assert "сейчас «Климова Наталья»" in excluded
    assert "отключён в CRM" in excluded
    assert "в CRM больше нет" in why.all("li")[-1].text
    assert "найден по клиенту, линии и времени" in why.text


async def test_the_course_is_a_drawing_a_list_and_a_table_of_the_same(call: Site) -> None:
    page = (await call.as_("admin").get("/calls/c1")).page
    course = page.by_id("course")
    drawing = course.one("svg", role="img")
    assert "Разговор: Анна" in drawing["aria-label"]
    assert "разговор 1 мин" in drawing.text
    told = [item.text for item in course.one("ol").all("li")]
    assert len(told) == len(course.one("tbody").all("tr"))
    assert any("Звонит: Анна" in line for line in told)


async def test_what_was_written_has_its_state_and_what_failed_can_be_tried_again(
    call: Site, pool: asyncpg.Pool
) -> None:
    person = call.as_("senior_manager")
    writes = (await person.get("/calls/c1")).page.by_id("writes")
    assert "Сделка создана" in writes.text
    assert "нет поля" in writes.text
    assert "2 попытки" in writes.text
    form = writes.one("form")
    answer = await person.post(form["action"], {"key": form.one("input", name="key")["value"]})
    assert (answer.status, answer.location) == (303, "/calls/c1")
    assert await pool.fetchval("SELECT state FROM effect WHERE effect_key = 'e2'") == "waiting"
    assert (await call.as_("manager").post(form["action"], {"key": "e2"})).status == 403


async def test_who_may_only_look_sees_no_whole_number_and_nobody_the_recordings_address(call: Site) -> None:
    page = await call.as_("read_only").get("/calls/c1")
    assert "•••-45-67" in page.words
    for whole in (CLIENT, "9161234567", "916 123-45-67", "(916) 123-45-67"):
        assert whole not in page.text.replace("\u00a0", " "), whole
    for role in ("read_only", "admin"):
        text = (await call.as_(role).get("/calls/c1")).text
        assert "s3cret" not in text
        assert "/calls/c1/recording/1" in text


async def test_old_and_bare_calls_say_what_is_missing(site: Site, pool: asyncpg.Pool) -> None:
    await store(pool, a_call("c9", AGO, answered_by="101", legs=(), lookup=None, people=None, client=None))
    languages: dict[Language, str] = {"ru": "Времени каждого телефона нет", "en": "No times of each phone"}
    for language, words in languages.items():
        page = await site.as_("admin", language=language).get("/calls/c9")
        assert page.status == 200, page.text
        assert words in page.words
        assert "style=" not in page.text
    assert (await site.as_("admin").get("/calls/nothing")).status == 404


async def test_a_manager_opens_their_own_calls_only(call: Site) -> None:
    anna = call.as_("manager", bound=Bindings(employee="anna"))
    assert (await anna.get("/calls/c1")).status == 200
    boss = call.as_("manager", bound=Bindings(employee="boss"))
    assert (await boss.get("/calls/c1")).status == 404


async def test_what_the_pbx_told_stands_in_its_order_whatever_it_left_out(
    call: Site, pool: asyncpg.Pool
) -> None:
    """An event has only what the PBX said: a call that begins is nobody's phone yet."""
    events = [{"kind": "started", "client": CLIENT}, {"kind": "answered", "party": "101"}]
    async with pool.acquire() as conn:
        for number, event in enumerate(events):
            at = datetime.now(UTC) - AGO + timedelta(seconds=number)
            told = {"call_key": "c1", "at": at.isoformat(), **event}
            message = InboxMessage(
                account_id=ACCOUNT,
                connection_id="office",
                dedupe_key=bytes([number]) * 32,
                call_key="c1",
                client=CLIENT,
                received_at=at,
                raw=b"{}",
                events=orjson.dumps([told]).decode(),
            )
            await store_messages(conn, [message])
    page = await call.as_("senior_manager").get("/calls/c1")
    assert page.status == 200, page.words
    assert "(101)" in page.page.by_id("exchange").text


async def test_a_task_says_until_when_as_people_write_it(call: Site, pool: asyncpg.Pool) -> None:
    due = {"text": "Перезвонить", "due_at": "2025-11-27T15:00:00Z", "owner_id": "11", "target": None}
    await add_effect(pool, "e3", "done", do="create_task", **due)
    writes = (await call.as_("admin").get("/calls/c1")).page.by_id("writes").text
    assert "Перезвонить, срок 27.11.2025, ответственный: Анна" in writes
