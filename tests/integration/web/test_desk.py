"""A manager's desk: am I here, whom do I call back, what came today."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.admin.accounts import save_settings
from gateway.admin.presence.people import person_now
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.bindings import Bindings
from gateway.store.presence import attendance as rows
from routing.attendance.machine import first_seen
from routing.attendance.model import Attendance, PresenceQuestion
from routing.settings import PresencePolicy
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
