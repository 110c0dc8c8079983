"""The tab amoCRM and what is held: what an admin reads when the key breaks, and does until all is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.store.admin.accounts import set_account_state
from gateway.store.admin.bindings import Bindings
from gateway.store.crm_accounts.exchanges import report
from tests.integration.api.client import ACCOUNT, add_effect, give_key
from tests.integration.web.browser import Site


async def _hold(site: Site, call: str, at: datetime) -> None:
    await site.pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
        " started_at, facts) VALUES ($1, $2, 'office', $2, '+79161234567', 'inbound', 'no_answer', true, $3, '{}')",
        ACCOUNT, call, at,
    )  # fmt: skip
    await add_effect(site.pool, f"{call}:task", state="held", call_id=call, created_at=at)


async def _turn(site: Site, state: str, reason: str = "") -> None:
    async with site.pool.acquire() as conn, conn.transaction():
        await set_account_state(conn, ACCOUNT, state, reason)  # type: ignore[arg-type]


async def test_a_broken_key_is_three_steps_with_the_held_calls_beside(site: Site) -> None:
    admin, now = site.as_("admin"), datetime.now(UTC)
    await give_key(site.pool)
    assert "amoCRM подключена" in (await admin.get("/setup")).words
    await _hold(site, "c1", now - timedelta(hours=1))
    await _hold(site, "c2", now - timedelta(days=40))
    await _turn(site, "broken", "401 token revoked")
    page = await admin.get("/setup")
    assert "amoCRM не принимает ключ с" in page.words
    assert "придержано: 2 звонка" in page.words
    steps = page.page.all("li", cls="cm-wizard-current")
    assert [step["id"] for step in steps] == ["step-1"]
    off = await admin.post("/setup/crm/off")
    assert (off.status, off.location) == (303, "/setup")
    page = await admin.get("/setup")
    assert [step["id"] for step in page.page.all("li", cls="cm-wizard-current")] == ["step-2", "step-3"]
    refused = await admin.post("/setup/crm/key", {"token": "sek\nret"})
    assert refused.status == 422
    assert "Скопируйте его ещё раз" in refused.page.by_id("token-error").text
    assert "sek" not in refused.text
    on = await admin.post("/setup/crm/on")
    assert on.status == 422
    assert "вставьте новый ключ" in on.words


async def test_what_is_held_is_chosen_by_day_sent_paused_stopped_and_reported(site: Site) -> None:
    admin, now = site.as_("admin", language="en"), datetime.now(UTC)
    await give_key(site.pool)
    assert "Nothing is held" in (await admin.get("/setup/held")).words
    await _hold(site, "new", now - timedelta(minutes=1))
    await _hold(site, "old", now - timedelta(days=9))
    page = (await admin.get("/setup/held")).page
    days = page.all("input", name="day", type="checkbox")
    assert ["checked" in day.attributes for day in days] == [False, True], "today and two days before"
    assert "Send 1 call" in page.text
    both = "&".join(f"day={day['value']}" for day in days)
    assert "Send 2 calls" in (await admin.get(f"/setup/held?chosen=1&{both}")).words
    nothing = await admin.post("/setup/held/start")
    assert nothing.status == 409
    assert "Choose at least one day" in nothing.words
    begun = await admin.post("/setup/held/start", {"day": [days[1]["value"]]})
    assert begun.location == "/setup/held/run"
    assert (await admin.get("/setup/held")).location == "/setup/held/run"
    run = await admin.get("/setup/held/run")
    assert "Counting how long it will take" in run.words
    assert (await admin.post("/setup/held/pause")).status == 303
    assert "Paused. Waiting: 1 call" in (await admin.fragment("/setup/held/run")).words
    assert "1 of 2 are sent. The others (1) stay held" in (await admin.get("/setup/held/stop")).words
    await admin.post("/setup/held/stop")
    over = await admin.fragment("/setup/held/run")
    assert over.headers["HX-Redirect"] == "/setup/held/run", "what stops it stands beside the part"
    report = await admin.get("/setup/held/report?outcome=too_old")
    assert len(report.page.all("tr")) == 2
    table = await admin.get("/setup/held/report.csv")
    assert table.text.count("\n") == 3
    assert (await admin.post("/setup/held/discard", {"note": ""})).status == 422
    await admin.post("/setup/held/discard", {"note": "too late"})
    assert "Nothing is held" in (await admin.get("/setup/held")).words


async def test_only_an_admin_sees_the_crm_and_its_exchanges(site: Site) -> None:
    senior = site.as_("senior_manager")
    assert (await senior.get("/setup")).location == "/setup/employees"
    assert (await senior.get("/setup/held")).status == 403
    assert (await senior.post("/setup/crm/off")).status == 403
    manager = site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee="anna"))
    assert (await manager.get("/setup")).status == 403
    assert "Обменов ещё не было" in (await site.as_("admin").get("/setup/exchanges")).words


async def test_every_page_says_that_nothing_goes_into_the_crm_and_an_admin_is_led_there(site: Site) -> None:
    await _turn(site, "off", "for a test")
    await site.process.configuration.reload()
    admin, guest = site.as_("admin"), site.as_("read_only", bound=Bindings(account_id=ACCOUNT))
    for path in ("/calls", "/missed/waits", "/matrix/versions", "/no/such"):
        strip = (await admin.get(path)).page.by_id("crm-away")
        assert "Доступ к amoCRM выключен с" in strip.text
        assert [link["href"] for link in strip.all("a")] == ["/setup"]
        assert (await guest.get(path)).page.by_id("crm-away").all("a") == []
    assert (await admin.get("/setup")).page.all(id="crm-away") == []
    await _turn(site, "on")
    await site.process.configuration.reload()
    assert (await admin.get("/calls")).page.all(id="crm-away") == []


async def _tell(site: Site, **parts: Any) -> None:
    async with site.pool.acquire() as conn:
        await report(conn, ACCOUNT, "crm", parts)


async def test_every_page_says_that_the_crm_does_not_answer_to_who_can_do_something_about_it(
    site: Site,
) -> None:
    admin, senior = site.as_("admin"), site.as_("senior_manager", language="en")
    guest = site.as_("read_only")
    since = datetime.now(UTC) - timedelta(minutes=7)
    await _tell(site, writer={"reason": "crm-unavailable", "reason_since": since})
    for path in ("/calls", "/missed/waits", "/matrix/versions", "/messages/triggers"):
        strip = (await admin.get(path)).page.by_id("crm-away")
        assert "amoCRM не отвечает с" in strip.text
        assert [link["href"] for link in strip.all("a")] == ["/setup"]
        said = (await senior.get(path)).page.by_id("crm-away")
        assert "amoCRM does not answer since" in said.text
        assert said.all("a") == []
    assert (await guest.get("/calls")).page.all(id="crm-away") == []
    await _tell(site, token={"warning": "broken"})
    assert "не принимает ключ." in (await admin.get("/calls")).page.by_id("crm-away").text
    await _tell(site, writer={"reason": ""}, token={"warning": None}, circuit={"name": "closed"})
    assert (await admin.get("/calls")).page.all(id="crm-away") == []
