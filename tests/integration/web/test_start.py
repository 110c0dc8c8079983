"""The first run, from no account at all to a PBX that is heard."""

from __future__ import annotations

from time import perf_counter

from crm.port import CrmUser
from crm.store.metadata import store_users
from gateway.store.admin.accounts import account as account_of
from gateway.web.start.first_run import short_name
from runtime.database.lease import Leases
from tests.integration.api.client import ACCOUNT, give_key
from tests.integration.web.browser import Site


def test_an_account_is_called_by_the_first_part_of_its_host() -> None:
    named = {
        url: short_name(url)
        for url in ("lad-kuhni.amocrm.ru", "https://X.kommo.com/", "http://127.0.0.1:8", "")
    }
    assert list(named.values()) == ["lad-kuhni", "x", "main", "main"]


async def test_without_an_account_the_first_step_asks_for_the_crm(site: Site) -> None:
    await site.pool.execute("DELETE FROM account")
    await site.process.services.configuration.take_over((ACCOUNT,), with_tokens=False)
    admin = site.as_("admin")
    assert (await admin.get("/setup")).location == "/start"
    page = await admin.get("/start")
    assert "Осталось до первого звонка: 5 шагов" in page.words
    assert [step["id"] for step in page.page.all("li", cls="cm-wizard-current")] == ["step-1"]
    refused = await admin.post("/start/crm", {"url": "not an address", "token": "hush"})
    assert refused.status == 422
    assert "Впишите его, как в браузере" in refused.page.by_id("url-error").text
    assert "hush" not in refused.text


async def test_each_step_is_done_in_its_place_and_folds_to_its_proof(site: Site) -> None:
    admin = site.as_("admin", language="en")
    await site.pool.execute("DELETE FROM employee")
    await site.pool.execute("DELETE FROM connection")
    await give_key(site.pool)
    async with site.pool.acquire() as conn:
        user = CrmUser(
            id="7", name="Ann", email="ann@x.example", is_active=True, is_admin=False, group_id=None
        )
        await store_users(conn, ACCOUNT, [user])
    page = await admin.get("/start")
    assert "To finish the connection, save a phone" in page.words
    bad = await admin.post("/start/contact", {"phone": "nine"})
    assert "Write the phone" in bad.page.by_id("support_phone-error").text
    await admin.post("/start/contact", {"phone": "+74951234567"})
    async with site.pool.acquire() as conn:
        assert (await account_of(conn, ACCOUNT)).settings.support_phone == "+74951234567"
    assert "There is no need to wait" in (await admin.fragment("/start")).words
    wrong = await admin.post("/start/people", {"user": ["7"], "extension": ["no way"]})
    assert "This is no extension" in wrong.page.by_id("extension-7-error").text
    await admin.post("/start/people", {"user": ["7"], "extension": ["101"]})
    chosen = await admin.get("/start?kind=generic")
    assert chosen.page.all("input", name="lines")
    added = await admin.post("/start/pbx", {"kind": "generic", "name": "office", "lines": "+74951230000"})
    assert added.page.by_id("secret")["value"] in added.page.by_id("instructions").text
    page = await admin.get("/start")
    assert [step["id"] for step in page.page.all("li", cls="cm-wizard-done")] == [
        "step-1",
        "step-3",
        "step-4",
    ]
    assert "Left before the first call: 2 steps" in page.words


async def test_the_page_does_not_wait_until_the_worker_has_read_the_users(site: Site) -> None:
    await site.pool.execute("DELETE FROM employee")
    await give_key(site.pool)
    lease = Leases(str(site.process.settings.database_url)).of(ACCOUNT)
    assert await lease.try_acquire()  # the worker's
    began = perf_counter()
    page = await site.as_("admin").get("/start")
    took = perf_counter() - began
    await lease.release()
    assert took < 6
    step = page.page.by_id("step-3")
    assert "Читаем пользователей из amoCRM" in step.text
    assert [a["href"] for a in step.all("a")] == ["/start#step-3"]


async def test_only_an_admin_sets_up(site: Site) -> None:
    assert (await site.as_("senior_manager").get("/start")).status == 403


async def test_the_people_to_take_over_come_by_themselves(site: Site) -> None:
    admin = site.as_("admin")
    await site.pool.execute("DELETE FROM employee")
    await give_key(site.pool)
    waiting = (await admin.fragment("/start?part=people")).page.by_id("people")
    assert waiting["hx-get"] == "/start?part=people"
    assert not waiting.all("form")
    async with site.pool.acquire() as conn:
        user = CrmUser(id="7", name="Ann", email="a@x.example", is_active=True, is_admin=False, group_id=None)
        await store_users(conn, ACCOUNT, [user])
    there = (await admin.fragment("/start?part=people")).page.by_id("people")
    assert there.by_id("extension-7")
    assert there.get("hx-get") is None, "what one types into is not replaced"
