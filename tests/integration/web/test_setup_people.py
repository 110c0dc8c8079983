"""Employees with their numbers, and what could not be sent."""

from __future__ import annotations

from crm.port import CrmUser
from crm.store.metadata import store_users
from gateway.store.admin.staff import staff_of
from tests.integration.api.client import ACCOUNT, add_effect
from tests.integration.web.browser import Site


def _user(id: str, name: str, email: str) -> CrmUser:
    return CrmUser(id=id, name=name, email=email, is_active=True, is_admin=False, group_id=None)


async def test_employees_are_added_from_the_crm_changed_and_refused_at_their_field(site: Site) -> None:
    admin = site.as_("admin")
    async with site.pool.acquire() as conn:
        users = [_user("1", "Ольга", "boss@x.example"), _user("77", "Пётр Белых", "manager107@x.example")]
        await store_users(conn, ACCOUNT, [*users, _user("11", "Анна", "anna@x.example")])
    page = await admin.get("/setup/employees")
    assert "Пользователи amoCRM без внутреннего номера: 1" in page.words
    assert page.page.by_id("extension-77")["value"] == "107"
    taken = await admin.post("/setup/import-employees", {"user": ["77"], "extension": ["101"]})
    assert taken.status == 422
    assert "Номер 101 уже у другого сотрудника: Анна" in taken.page.by_id("extension-77-error").text
    added = await admin.post("/setup/import-employees", {"user": ["77"], "extension": ["107"]})
    assert added.location == "/setup/employees"
    form = {
        "name": "Пётр",
        "email": "",
        "crm_user_id": "77",
        "extensions": "107, 108",
        "numbers": "8 916 123-45-67",
    }
    path = "/setup/employees/manager107%40x.example"
    assert (await admin.post(path, form)).status == 303
    async with site.pool.acquire() as conn:
        person = (await staff_of(conn, ACCOUNT)).by_id["manager107@x.example"]
    assert (person.extensions, person.numbers) == (("107", "108"), ("+79161234567",))
    refused = await admin.post(path, {**form, "is_senior": "on", "extensions": "107"})
    assert "Старший менеджер уже есть: Ольга" in refused.page.by_id("is_senior-error").text
    assert refused.page.by_id("numbers")["value"] == "8 916 123-45-67", "what was typed stays"
    twice = await admin.post(
        "/setup/new-employee", {**form, "id": "p", "extensions": "109", "crm_user_id": ""}
    )
    assert "8 916" not in twice.page.by_id("numbers-error").text
    assert "+79161234567 уже у другого" in twice.page.by_id("numbers-error").text
    assert (await admin.post(f"{path}/remove")).status == 303
    assert "Пётр" not in (await admin.get("/setup/employees")).page.one("table").text


async def test_a_senior_manager_sees_employees_and_changes_nothing(site: Site) -> None:
    senior = site.as_("senior_manager", language="en")
    page = await senior.get("/setup/employees")
    assert [tab.text for tab in page.page.all("a", cls="cm-tab")] == ["Employees", "Do not call", "Not sent"]
    assert "keep SIP passwords" in page.words
    assert not page.page.all("a", href="/setup/new-employee")
    assert (await senior.get("/setup/employees/anna")).status == 403
    assert (await senior.post("/setup/employees/anna", {"name": "x"})).status == 403


async def test_what_was_set_aside_stands_by_cause_and_is_retried_or_ignored(site: Site) -> None:
    senior = site.as_("senior_manager", language="en")
    assert "Everything is sent" in (await senior.get("/setup/not-sent")).words
    for key in ("a", "b", "c"):
        code = "crm-gone" if key == "c" else "crm-invalid"
        await add_effect(site.pool, key, state="dead", error_code=code, error_field="text")
    page = await senior.get("/setup/not-sent")
    rows = page.page.one("tbody").all("tr")
    assert [row.one("td", cls="cm-number").text for row in rows] == ["2", "1"]
    cause = {"kind": "effect", "code": "crm-invalid", "field": "text"}
    one = await senior.get("/setup/not-sent?kind=effect&code=crm-invalid&field=text")
    assert len(one.page.all("input", name="key")) == 2
    refused = await senior.post("/setup/not-sent/ignore", {**cause, "key": ["a"]})
    assert (refused.status, "Say why" in refused.words) == (422, True)
    await senior.post("/setup/not-sent/ignore", {**cause, "key": ["a"], "note": "called by hand"})
    await senior.post("/setup/not-sent/retry", cause)
    rows_then = await site.pool.fetch("SELECT effect_key, state FROM effect")
    states = {row["effect_key"]: row["state"] for row in rows_then}
    assert (states["a"], states["b"], states["c"]) == ("skipped", "waiting", "dead")
    await senior.post("/setup/not-sent/retry")
    waiting = await senior.fragment("/setup/not-sent")
    assert "Waiting for their turn, sent by themselves: 2." in waiting.words
    assert "Everything is sent" not in waiting.words
    await site.pool.execute("UPDATE effect SET state = 'held' WHERE effect_key = 'b'")
    held = await site.as_("admin").get("/setup/not-sent")
    assert "Придержано, пока доступ к CRM выключен или потерян: 1." in held.words
    assert held.page.by_id("not-sent").all("a", href="/setup/held")
    assert not (await senior.get("/setup/not-sent")).page.all("a", href="/setup/held")
