"""The page of what goes out: its pace, its queue, and clearing it."""

from __future__ import annotations

import pytest

from gateway.admin.outbound.settings import show_settings
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.calls_on_pages import name_client


@pytest.mark.parametrize("typed", ["-1", "1,5", "1.5", "много", "", " ", "601"])
async def test_a_rate_that_is_none_is_said_at_its_field_and_changes_nothing(site: Site, typed: str) -> None:
    before = await _rate(site)
    answer = await site.as_("admin").post("/messages/rate", {"rate": typed})
    assert answer.status == 422
    field = answer.page.one("input", name="rate")
    assert field["aria-invalid"] == "true"
    assert field["value"] == typed
    said = answer.page.one(id="rate-error").text
    assert ("пустое поле" in said) == (not typed.strip())
    assert await _rate(site) == before


async def test_nought_is_a_pause_that_is_said(site: Site) -> None:
    admin = site.as_("admin")
    assert (await admin.post("/messages/rate", {"rate": "0"})).status == 303
    assert await _rate(site) == 0
    assert "Очередь пуста" in (page := await admin.get("/messages")).words
    assert "пауза звонков" in page.page.all("div", cls="cm-note-warn")[0].text
    assert (await admin.post("/messages/rate", {"rate": "4"})).status == 303
    assert await _rate(site) == 4


async def test_a_pause_promises_no_more_than_it_keeps(site: Site) -> None:
    """The pace is of calls; texts go out whatever it is."""
    admin = site.as_("admin")
    await admin.post("/messages/rate", {"rate": " 0 "})
    page = await admin.get("/messages")
    assert "ничего не уходит" not in page.words
    assert "всё ждёт" not in page.words
    texts = page.page.all("div", cls="cm-note-warn")[1]
    assert "сейчас уходят" in texts.text
    assert texts.one("a")["href"] == "/messages/triggers?do=sms"


async def test_nothing_is_cleared_where_nothing_waits(site: Site) -> None:
    admin = site.as_("admin", language="en")
    assert "Clear the queue…" not in (await admin.get("/messages")).words
    assert "The queue is empty" in (await admin.get("/messages/clear")).words
    assert (await admin.post("/messages/clear", {"kind": "campaign"})).status == 422


async def test_the_pace_is_the_administrators(site: Site) -> None:
    senior = site.as_("senior_manager")
    assert (await senior.get("/messages")).page.all("input", name="rate") == []
    assert (await senior.post("/messages/rate", {"rate": "9"})).status == 403
    assert (await site.as_("manager").get("/messages")).status == 403


async def test_who_waits_is_named_with_when_and_by_what(site: Site) -> None:
    await name_client(site.pool, "+79161234567", "Наталья Климова")
    order = {"trigger": "call", "version": 1}
    for id, client, state, not_before in (
        ("a", "+79161234567", "waiting", "1 hour"),
        ("b", "+79160000001", "dialling", "0"),
        ("c", None, "waiting", "0"),
    ):
        await site.pool.execute(
            'INSERT INTO outbound_item (account_id, item_id, kind, source, state, reason, client, deal_id, not_before, "order")'
            " VALUES ($1, $2, 'callback', 'trigger', $3, '', $4, '701', now() + $5::text::interval, $6)",
            ACCOUNT, id, state, client, not_before, order,
        )  # fmt: skip
    for role in ("senior_manager", "admin"):
        page = (await site.as_(role).get("/messages")).page
        rows = [row.text for row in page.by_id("queued").one("tbody").all("tr")]
        assert [("сейчас" in row, "call" in row) for row in rows] == [
            (True, True),
            (False, True),
            (False, True),
        ]
        assert "как дойдёт очередь" in rows[1]
        assert "Наталья Климова +7 916 123-45-67" in rows[2]


async def _rate(site: Site) -> int:
    async with site.pool.acquire() as conn:
        return (await show_settings(conn, ACCOUNT)).rate
