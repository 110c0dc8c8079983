"""Who is here, who may say so of others, and when somebody was."""

from __future__ import annotations

import pytest

from gateway.admin.accounts import save_settings
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.bindings import Bindings
from routing.settings import PresencePolicy
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site


@pytest.fixture
async def watched(site: Site) -> Site:
    async with site.pool.acquire() as conn:
        settings = (await account_of(conn, ACCOUNT)).settings
        presence = PresencePolicy(is_on=True, idle_minutes=None)
        await save_settings(conn, ACCOUNT, settings.model_copy(update={"presence": presence}))
    await site.process.configuration.reload()
    return site


async def test_a_senior_manager_sees_and_switches_everybody(watched: Site) -> None:
    senior = watched.as_("senior_manager", bound=Bindings(account_id=ACCOUNT))
    page = (await senior.get("/shifts")).page
    assert page.by_id("state-unknown").text.startswith("Пока неизвестно · 2")
    answer = await senior.post(f"/shifts/people/{ANNA.id}/here", {"is_here": "1"})
    assert answer.status == 303
    assert ANNA.name in (await senior.get("/shifts")).page.by_id("state-available").text
    history = await senior.get(f"/shifts/people/{ANNA.id}", **{"Accept-Language": "ru"})
    assert history.status == 200
    assert "включено кнопкой" in history.words


async def test_a_manager_switches_nobody_else(watched: Site) -> None:
    anna = watched.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id))
    page = (await anna.get("/shifts")).page
    assert [form["action"] for form in page.one(id="shifts-people").all("form")] == [
        f"/shifts/people/{ANNA.id}/here"
    ]
    refused = await anna.post(f"/shifts/people/{SENIOR.id}/here", {"is_here": "1"})
    assert refused.status == 403
    assert "Ничего не изменилось" in refused.words
    assert (await anna.get(f"/shifts/people/{SENIOR.id}")).status == 403
    assert (await anna.get(f"/shifts/people/{ANNA.id}")).status == 200


async def test_where_presence_is_not_watched_it_is_said_and_nobody_is_switched(site: Site) -> None:
    admin = site.as_("admin", language="en")
    page = (await admin.get("/shifts")).page
    assert "Presence is not watched" in page.text
    assert page.one(id="shifts-people").all("form") == []
    refused = await admin.post(f"/shifts/people/{ANNA.id}/here", {"is_here": "1"})
    assert refused.status == 422
    assert "Not saved" in refused.words


async def test_who_is_not_there_is_said_to_be_gone(watched: Site) -> None:
    answer = await watched.as_("admin", language="en").get("/shifts/people/nobody")
    assert answer.status == 404
    assert "There is no such employee" in answer.words
