"""A manager's desk: am I here, whom do I call back, what came today."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm.port import Pipeline
from crm.store.metadata import store_pipelines
from gateway.admin.accounts import save_settings
from gateway.admin.distribution.templates import save_template
from gateway.admin.operations.shift_change import save_policy
from gateway.admin.presence.people import person_now
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.bindings import Bindings
from gateway.store.presence import attendance as rows
from gateway.store.shift_change import moves, runs
from gateway.store.shift_change.moves import OrderedMove, PlannedMove
from routing.attendance.machine import first_seen, judge
from routing.attendance.model import Attendance, AttendanceReason, PresenceQuestion, marked
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.settings import PresencePolicy
from routing.shift_change.policy import ShiftPolicy
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.browser import Browser, Site


@pytest.fixture
async def anna(site: Site) -> Browser:
    async with site.pool.acquire() as conn:
        settings = (await account_of(conn, ACCOUNT)).settings
        watched = settings.model_copy(update={"presence": PresencePolicy(is_on=True, idle_minutes=None)})
        await save_settings(conn, ACCOUNT, watched)
    await site.process.configuration.reload()
    return site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id))


async def _attendance(site: Site) -> Attendance | None:
    async with site.pool.acquire() as conn:
        return (await person_now(conn, await account_of(conn, ACCOUNT), ANNA.id)).attendance


async def test_a_manager_says_that_they_are_here_with_one_press(site: Site, anna: Browser) -> None:
    page = (await anna.get("/me")).page
    assert "пока неизвестно" in page.text
    form = page.one("form", action="/me/here")
    is_here = form.one("input", name="is_here")["value"]
    answer = await anna.post("/me/here", {"is_here": is_here})
    assert (answer.status, answer.location) == (303, "/me")
    known = await _attendance(site)
    assert known is not None
    assert known.mark == "on"
    assert "Отойти" in (await anna.get("/me")).words
    await anna.post("/me/here", {"is_here": "0"})
    known = await _attendance(site)
    assert known is not None
    assert known.mark == "off"


async def _ask(site: Site) -> datetime:
    now = datetime.now(UTC)
    asked = PresenceQuestion(asked_at=now, answer_by=now + timedelta(minutes=1))
    was = first_seen(now)
    after = replace(was, mark="asked", question=asked)
    async with site.pool.acquire() as conn:
        await rows.save(conn, ACCOUNT, ANNA.id, was, after, now)
    return now


async def test_the_question_stands_on_the_desk_until_it_is_answered_once(site: Site, anna: Browser) -> None:
    await _ask(site)
    page = (await anna.get("/me")).page
    question = page.one(role="alertdialog")
    assert "Вы на месте?" in question.text
    fields = {"asked_at": question.one("input", name="asked_at")["value"], "is_here": "1"}
    assert (await anna.post("/me/answer", fields)).status == 303
    known = await _attendance(site)
    assert known is not None
    assert (known.mark, known.reason) == ("on", "answered")
    # The same press in another tab changes nothing and frightens nobody.
    again = await anna.post("/me/answer", {**fields, "is_here": "0"})
    assert again.status == 303
    known = await _attendance(site)
    assert known is not None
    assert known.mark == "on"


async def test_an_open_page_says_so_and_a_hidden_one_proves_no_input(site: Site, anna: Browser) -> None:
    assert (await anna.post("/me/beat", {"page": "p-1", "idle": "3"})).status == 204
    assert (await anna.post("/me/beat", {"page": "p-2", "idle": "3", "visible": "false"})).status == 204
    await site.process.heartbeats.write()
    beats = (await site.process.heartbeats.beats_of(ACCOUNT))[ANNA.id]
    assert {beat.page: beat.input_at is not None for beat in beats} == {"p-1": True, "p-2": False}
    assert (await anna.post("/me/beat", {"page": "../x"})).status == 422


async def test_who_is_nobody_on_the_phone_is_told_so(site: Site) -> None:
    answer = await site.as_("admin", language="en").get("/me")
    assert answer.status == 404
    assert "There is no desk of yours here" in answer.words


async def test_a_form_of_another_site_switches_nobody(site: Site, anna: Browser) -> None:
    assert (await anna.post("/me/here", {"is_here": "1"}, **{"Sec-Fetch-Site": "cross-site"})).status == 403
    assert await _attendance(site) is None


async def _absent(site: Site, minutes: int) -> Attendance:
    """Nobody answered; return what is known of Anna since."""
    asked_at = datetime.now(UTC) - timedelta(minutes=minutes + 1)
    question = PresenceQuestion(asked_at=asked_at, answer_by=asked_at + timedelta(minutes=1))
    was = replace(first_seen(asked_at - timedelta(minutes=20)), mark="on", source="calls")
    asked = replace(was, mark="asked", since=asked_at, question=question)
    gone = judge(asked, question.answer_by, PresencePolicy(is_on=True))
    async with site.pool.acquire() as conn:
        before: Attendance | None = None
        for after in (was, asked, gone):
            await rows.save(conn, ACCOUNT, ANNA.id, before, after, after.since)
            before = after
    return gone


async def test_who_did_not_answer_is_told_how_long_and_comes_back_with_one_press(
    site: Site, anna: Browser
) -> None:
    await _absent(site, 7)
    note = (await anna.get("/me")).page.by_id("desk-away")
    assert "не на месте» 7 мин" in note.text
    form = note.one("form", action="/me/answer")
    fields = {"asked_at": form.one("input", name="asked_at")["value"], "is_here": "1"}
    assert (await anna.post("/me/answer", fields)).status == 303
    known = await _attendance(site)
    assert known is not None
    assert known.mark == "on"
    after = (await anna.get("/me")).page.by_id("desk-away")
    assert "Вы были не на месте 7 мин" in after.text
    assert after.all("form") == [], "it was them, and nothing was taken"


async def test_whom_something_brought_back_can_say_that_it_was_not_them(site: Site, anna: Browser) -> None:
    gone = await _absent(site, 7)
    now = datetime.now(UTC)
    back = marked(gone, "on", "crm", AttendanceReason.CRM_ACTIVITY, now)
    async with site.pool.acquire() as conn:
        await rows.save(conn, ACCOUNT, ANNA.id, gone, back, now)
    note = (await anna.get("/me")).page.by_id("desk-away")
    form = note.one("form", action="/me/here")
    assert "Это не я" in form.text
    await anna.post("/me/here", {"is_here": form.one("button")["value"]})
    known = await _attendance(site)
    assert known is not None
    assert known.mark == "off"
    assert (await anna.get("/me")).page.all(id="desk-away") == []


async def test_deals_that_went_to_others_are_counted_and_taken_back(site: Site, anna: Browser) -> None:
    gone = await _absent(site, 7)
    pipeline = Pipeline(
        id="1", name="Продажи", is_main=True, is_archived=False, is_unsorted_on=False, stages=()
    )
    template = DistributionTemplate(name="all", employees=(TemplateMember(employee_id=ANNA.id),))
    policy = ShiftPolicy(is_on=True, pipelines=("1",), template="all", returns="taken")
    async with site.pool.acquire() as conn:
        await store_pipelines(conn, ACCOUNT, [pipeline])
        await save_template(conn, ACCOUNT, template, by="t")
        await save_policy(conn, ACCOUNT, policy, "t")
        run = await runs.begin(conn, ACCOUNT, "away", ANNA.id, str(ANNA.crm_user_id), by="", now=gone.since)
        owner = str(ANNA.crm_user_id)
        planned = PlannedMove(kind="deal", entity_id="701", deal_id="701", position=0, owner_was=owner)
        await moves.plan(conn, ACCOUNT, run.run_id, "away", [planned])
        order = OrderedMove(kind="deal", entity_id="701", given_to="9", employee_id=ANNA.id, effect_key="k")
        await moves.set_ordered(conn, ACCOUNT, run.run_id, [order], gone.since)
        await moves.set_moved(conn, ACCOUNT, run.run_id, "away", [("deal", "701", "9")], gone.since)
        await runs.set_state(conn, ACCOUNT, run.run_id, "done", now=gone.since)
    await anna.post("/me/here", {"is_here": "1"})
    note = (await anna.get("/me")).page.by_id("desk-away")
    assert "Переданы другим: 1 сделка, вернулось 0" in note.text
    assert note.one("form", action="/me/return")
    assert (await anna.post("/me/return")).status == 303
    kinds = await site.pool.fetch("SELECT kind, ordered_by FROM shift_run ORDER BY run_id DESC LIMIT 1")
    assert anna.person is not None
    assert [tuple(row) for row in kinds] == [("return", anna.person.name)]
