"""Texts that went out: to whom, what became of each and why, found and as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.texts.catalogue import Language
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.selling import open_shop, sms_form

PATH = "/messages/texts"


async def _text(site: Site, number: str, state: str, **fields: Any) -> None:
    values: dict[str, Any] = {
        "account_id": ACCOUNT,
        "item_id": None,
        "connection": "texts",
        "employee_id": None,
        "number": number,
        "deal_id": "501",
        "text": "Your order is ready",
        "encoding": "gsm7",
        "parts": 1,
        "state": state,
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
        "next_try_at": datetime.now(UTC),
        "fresh_until": datetime.now(UTC),
        **fields,
    }
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await site.pool.execute(
        f"INSERT INTO sms_message ({', '.join(values)}) VALUES ({places})", *values.values()
    )


@pytest.fixture
async def shop(site: Site) -> Site:
    await open_shop(site.pool)
    order = {"trigger": "ready", "version": 1, "action": {"do": "sms"}}
    await site.pool.execute(
        "INSERT INTO outbound_item (account_id, item_id, kind, source, state, reason, \"order\")"
        " VALUES ($1, 'one', 'sms', 'trigger', 'succeeded', '', $2)", ACCOUNT, order,
    )  # fmt: skip
    await _text(site, "+79161234567", "delivered", item_id="one", ended_at=datetime.now(UTC), price=2.5)
    await _text(site, "+79160000001", "rejected", reason="blocked-number", deal_id="502")
    return site


async def test_a_text_is_told_with_its_end_its_reason_and_its_trigger(shop: Site) -> None:
    page = (await shop.as_("senior_manager").get(PATH)).page
    refused, delivered = (row.text for row in page.one("tbody").all("tr"))
    assert "доставлено" in delivered
    assert "+7 916 123-45-67" in delivered
    assert "Your order is ready" in delivered
    assert page.one("a", href="/messages/triggers/ready")
    assert "отклонено" in refused
    assert "владелец не хочет сообщений" in refused
    assert "проверка" in refused
    english = (await shop.as_("admin", language="en").get(PATH)).words
    assert "rejected" in english
    for role in ("manager", "read_only"):
        assert (await shop.as_(role).get(PATH)).status == 403


async def test_texts_are_found_and_all_that_is_found_is_a_table(shop: Site) -> None:
    senior = shop.as_("senior_manager")

    async def found(**query: str) -> int:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return len((await senior.get(f"{PATH}?{asked}")).page.one("tbody").all("tr"))

    assert await found(state="delivered") == 1
    assert await found(q="8 916 123 45 67") == 1
    assert await found(deal="502") == 1
    assert await found(provider="texts") == 2
    wrong = await senior.get(f"{PATH}?q=nobody")
    assert (wrong.status, "не похоже на номер" in wrong.page.by_id("q-error").text) == (422, True)
    assert "Таких SMS нет" in (await senior.get(f"{PATH}?state=sending")).words
    table = (await senior.get(f"{PATH}.csv?state=rejected")).text.splitlines()
    assert len(table) == 2
    assert "владелец не хочет" in table[1]
    assert "'+79160000001" in table[1], "no spreadsheet takes it for a formula"


async def test_fifty_stand_on_a_page(shop: Site) -> None:
    for n in range(51):
        await _text(shop, "+79160000002", "sent", created_at=datetime.now(UTC) - timedelta(minutes=n))
    senior = shop.as_("senior_manager")
    first = (await senior.get(f"{PATH}?state=sent")).page
    assert len(first.one("tbody").all("tr")) == 50
    [older] = [a for a in first.all("a") if "before_id" in a["href"]]
    assert len((await senior.get(older["href"])).page.one("tbody").all("tr")) == 1


async def _waiting(site: Site, id: str, provider: str) -> None:
    order = {"trigger": "ready", "version": 1, "action": {"do": "sms", "provider": provider}}
    await site.pool.execute(
        "INSERT INTO outbound_item (account_id, item_id, kind, source, state, reason, deal_id, \"order\")"
        " VALUES ($1, $2, 'sms', 'trigger', 'waiting', '', '501', $3)", ACCOUNT, id, order,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "why", "todo", "on_now"),
    [
        ("ru", "Провайдера «gone» больше нет", "Подключите провайдера с названием «gone»", "SMS ждут провайдера «gone»"),
        ("en", "There is no provider “gone” any more", "Connect a provider of the name “gone”", "SMS wait for the provider “gone”"),
    ],
)  # fmt: skip
async def test_a_text_that_waits_for_a_removed_provider_waits_for_somebody(
    shop: Site, language: Language, why: str, todo: str, on_now: str
) -> None:
    await _waiting(shop, "w1", "gone")
    await _waiting(shop, "w2", "texts")
    await _text(shop, "+79160000009", "queued", connection="gone")
    admin = shop.as_("admin", language=language)
    page = (await admin.get(PATH)).page
    stuck, moving = page.by_id("waiting").one("tbody").all("tr")
    assert why in stuck.text
    assert todo in stuck.text
    assert stuck.all("a", href="/setup/sms")
    assert why not in moving.text
    written = page.all("tbody")[1].all("tr")[0]
    assert "+7 916 000-00-09" in written.text
    assert why in written.text
    assert written.all("a", href="/setup/sms")
    assert on_now in (await admin.get("/")).words
    assert "w1" not in (await admin.get(f"{PATH}?state=delivered")).words
    assert not (await admin.get(f"{PATH}?provider=texts")).page.all("a", href="/setup/sms")


async def test_who_may_not_set_up_a_provider_is_told_whom_to_ask_and_led_nowhere(shop: Site) -> None:
    await _waiting(shop, "w1", "gone")
    await _text(shop, "+79160000009", "queued", connection="gone")
    await _text(shop, "+79160000008", "rejected", reason="no-money")
    page = (await shop.as_("senior_manager").get(PATH)).page
    assert "стоит" in page.by_id("waiting").text
    assert (
        "когда тот, кто отвечает за систему, подключит провайдера с названием «gone»"
        in page.by_id("waiting").text
    )
    assert "счёт пополнит тот, кто отвечает за систему" in page.text
    assert page.all("a", href="/setup/sms") == []


async def test_a_trigger_whose_provider_is_gone_says_so_in_the_list(shop: Site) -> None:
    admin = shop.as_("admin")
    await admin.post("/messages/new-trigger", sms_form(is_on="on"))
    await shop.pool.execute("DELETE FROM sms_connection WHERE account_id = $1", ACCOUNT)
    for path in ("/messages/triggers", "/messages/sms"):
        [row] = [
            li
            for li in (await admin.get(path)).page.all("li")
            if li.all("a", href="/messages/triggers/ready")
        ]
        assert "SMS-провайдера «texts» нет" in row.text


async def test_a_filter_that_is_none_has_one_answer_for_page_and_table(shop: Site) -> None:
    senior = shop.as_("senior_manager")
    table = await senior.get(f"{PATH}.csv?q=nobody&provider=texts")
    assert (table.status, table.location) == (303, f"{PATH}?q=nobody&provider=texts")
    assert "не похоже на номер" in (await senior.get(table.location)).page.by_id("q-error").text
    for path in (PATH, f"{PATH}.csv"):
        assert (await senior.get(f"{path}?state=never")).status == 422
