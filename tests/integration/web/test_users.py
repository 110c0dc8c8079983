"""Admins look after who may do what, and read who changed what; nobody grants more than they may."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.admin.schedules.saved import save_schedule
from gateway.admin.users import UserOrder, add_user
from gateway.store.admin.bindings import Bindings
from gateway.store.worker import long_tasks
from gateway.web.texts.sentences import TEXTS
from gateway.web.users.change_words import ChangeWords
from gateway.web.words.spreadsheet import no_formula
from gateway.web.words.words import Words
from routing.schedules.model import Leave, Schedule, WorkPlan
from routing.texts.catalogue import Language
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Answer, Site
from tests.integration.web.html import Element
from tests.integration.web.signing import PASSWORD, House, Visitor


async def test_a_person_is_added_changed_helped_and_removed(house: House) -> None:
    admin = await house.signed_in("olga")
    page = (await admin.get("/setup/new-user")).page
    assert "Сейчас, Звонки, Пропущенные" in page.one("form", action="/setup/users").text
    bad = await _sent(admin, page, "/setup/users", login="Не логин", role="manager")
    assert (bad.status, "Логин не подходит" in bad.words) == (422, True)
    same = await _sent(admin, page, "/setup/users", login="anna", role="manager")
    assert "Такой логин уже есть" in same.words
    told = await _sent(
        admin, page, "/setup/users", login="petr", name="Пётр", role="manager", account=ACCOUNT
    )
    password = told.page.by_id("told")["value"]
    petr = house.visitor()
    assert (await petr.sign_in("petr", password)).status == 303
    listed = (await admin.get("/setup/users?role=manager")).page
    assert [one["href"] for one in listed.one("tbody").all("a")] == ["/setup/users/anna", "/setup/users/petr"]
    own = await admin.get("/setup/users/petr")
    assert "Safari, iPhone" in own.page.by_id("sessions").text
    changed = await _sent(
        admin, own.page, "/setup/users/petr", name="Пётр", role="read_only", is_on="on", account=ACCOUNT
    )
    assert changed.status == 303
    assert (await petr.get("/me/account")).status == 303  # what he may is another: signed out
    link = await admin.send((await admin.get("/setup/users/petr")).page, "/setup/users/petr/link")
    address = link.page.by_id("told")["value"]
    path = address.removeprefix("https://calls.example.com")
    assert (await petr.send((await petr.get(path)).page, path)).status == 303
    asked = (await admin.get("/setup/users/petr/remove")).page
    assert (await admin.send(asked, "/setup/users/petr/remove")).status == 303
    assert (await petr.get("/me/account")).status == 303
    assert (await admin.get("/setup/users/petr")).status == 404
    assert (await admin.get("/setup/users/%D0%B0%00")).status == 404


async def test_a_manager_who_is_nobody_on_the_phone_is_named_and_still_gets_somewhere(house: House) -> None:
    """The administrator is told when adding them and afterwards; they themselves land on a page that opens."""
    admin = await house.signed_in("olga")
    page = (await admin.get("/setup/new-user")).page
    told = await _sent(admin, page, "/setup/users", login="petr", role="manager")
    assert "не привязан к сотруднику" in told.words
    assert told.page.all("a", href="/setup/users/petr#employee")
    own = await admin.get("/setup/users/petr")
    assert "не привязан к сотруднику" in own.page.by_id("sees").text
    assert "Мой стол" not in own.page.by_id("sees").text
    assert own.page.by_id("employee")
    petr = house.visitor()
    await petr.sign_in("petr", told.page.by_id("told")["value"])
    first = await petr.get("/")
    assert first.status == 303
    landed = await petr.get(first.location)
    assert landed.status == 200
    assert "не привязан к сотруднику" in landed.words
    assert not landed.page.all("a", href="/me")
    for path in ("/missed", "/missed/closed"):
        missed = await petr.get(path)
        assert "не привязан к сотруднику" in missed.words, path
        assert "Все перезвонены" not in missed.words
    bound = await _sent(
        admin, page, "/setup/users", login="ira", role="manager", account=ACCOUNT, employee="anna"
    )
    assert "не привязан" not in bound.words
    assert "Мой стол" in (await admin.get("/setup/users/ira")).page.by_id("sees").text


async def _sent(visitor: Visitor, page: Element, action: str, **filled: str) -> Answer:
    """Only what is named here, and the token: of radios and check-boxes a browser sends those that are on."""
    token = page.all("input", name="csrf")[0]["value"]
    return await visitor.post(action, {"csrf": token, **filled})


async def test_nobody_grants_more_than_they_may_and_is_told_who_can(house: House) -> None:
    async with house.pool.acquire() as conn:
        bound = Bindings(account_id=ACCOUNT)
        order = UserOrder(login="local", name="Лев", role="admin", bound=bound, password=PASSWORD + " here")
        await add_user(conn, order)
    local = house.visitor()
    await local.sign_in("local", PASSWORD + " here")
    listed = await local.get("/setup/users")
    assert "olga" not in listed.words  # of every account: not theirs to see
    assert (await local.get("/setup/users/olga")).status == 404
    page = (await local.get("/setup/new-user")).page
    refused = await _sent(local, page, "/setup/users", login="petr", role="admin")
    assert refused.status == 422
    assert "Больше прав, чем есть у вас, дать нельзя. Это может: Ольга Зимина." in refused.words
    own = (await local.get("/setup/users/local")).page
    freed = await _sent(local, own, "/setup/users/local", name="Лев", role="admin", is_on="on")
    assert freed.status == 422
    admin = await house.signed_in("olga")
    last = await _sent(admin, own, "/setup/users/olga", name="Ольга", role="manager", is_on="on")
    assert last.status == 403  # the token is another session's
    token = (await admin.get("/setup/users/olga")).page
    last = await _sent(admin, token, "/setup/users/olga", name="Ольга", role="manager", is_on="on")
    assert "последний администратор" in last.words


async def test_who_changed_what_is_said_in_words_filtered_paged_and_taken_along(house: House) -> None:
    admin = await house.signed_in("olga")
    page = (await admin.get("/setup/users/anna")).page
    await _sent(admin, page, "/setup/users/anna", name="=Анна", role="read_only", is_on="on", account=ACCOUNT)
    told = await admin.get("/setup/audit?who=olga&what=user")
    row = told.page.one("tbody").all("tr")[0].text
    for said in (
        "olga",
        "на страницах",
        "127.0.0.1",
        "пользователь: изменено",
        "роль",
        "менеджер",
        "только просмотр",
    ):
        assert said in row
    assert "{" not in told.page.one("tbody").text
    assert "По этому фильтру ничего нет" in (await admin.get("/setup/audit?who=nobody")).words
    table = await admin.get("/setup/audit.csv?who=olga")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.headers["Cache-Control"] == "no-store"
    assert table.text.splitlines()[0].lstrip("\ufeff").startswith("Когда;Кто;Как")
    await house.pool.execute(
        "INSERT INTO audit (who_kind, who, door, what, object, action) SELECT 'program', '=cmd', 'program', 'row',"
        " '+' || n, 'changed' FROM generate_series(1, 60) AS n"
    )
    first = (await admin.get("/setup/audit?who=%3Dcmd")).page
    assert len(first.one("tbody").all("tr")) == 50
    older = next(one["href"] for one in first.all("a", rel="next"))
    assert len((await admin.get(older)).page.one("tbody").all("tr")) == 10
    cells = (await admin.get("/setup/audit.csv?who=%3Dcmd")).text.splitlines()[1].split(";")
    assert cells[1] == "'=cmd"
    assert cells[5] == "'+60"


def _said(language: Language) -> ChangeWords:
    words = Words(
        texts=TEXTS[language],
        zone=ZoneInfo("Europe/Moscow"),
        now=datetime(2026, 3, 2, tzinfo=UTC),
        sees_numbers=True,
    )
    return ChangeWords(TEXTS[language], words, {"manager106": "Ирина Соколова"}, {"main": "Main"})


def test_values_are_words() -> None:
    ru, en = _said("ru"), _said("en")
    assert ru.value("", True) == "да"
    assert en.value("", ["a", False]) == "a, no"
    assert en.value("", None) == en.value("", []) == "nothing"
    assert ru.value("", "set") == "задано"
    assert en.value("", {"rate": 3}) == "rate: 3"
    leave = [{"first": "2026-12-07", "last": "2026-12-20", "substitute": "manager106"}]
    assert ru.value("people.x.leave", leave) == "07.12.2026 – 20.12.2026 (замещает: Ирина Соколова)"
    assert (
        en.value("people.x.periods", [{"first": "2026-12-07", "last": "2026-12-07"}])
        == "7\u00a0Dec\u00a02026 (free)"
    )
    assert ru.value("working_time.hours.1", [["09:00", "18:00"]]) == "09:00–18:00"


def test_fields_are_called_as_their_pages_call_them() -> None:
    ru, en = _said("ru"), _said("en")
    assert ru.field("schedule", "people.manager106.leave") == "Ирина Соколова: отпуск"
    assert en.field("schedule", "people.manager106.hours.1") == "Ирина Соколова: hours, Monday"
    assert ru.field("schedule", "everybody.hours.7") == "все: часы, Воскресенье"
    assert en.field("schedule", "groups.sales.west.periods") == "group “sales.west”: days"
    assert ru.field("settings", "working_time.hours.1") == "Рабочее время: Понедельник"
    assert ru.field("user", "is_on") == "может входить"
    assert ru.field("sms", "is_on") == "включено"
    assert ru.field("campaign_import", "rows") == "строк"


def test_no_cell_is_a_formula() -> None:
    assert no_formula("=1") == "'=1"


@pytest.mark.parametrize(
    ("language", "wanted"), [("ru", f"{ANNA.name}: отпуск"), ("en", f"{ANNA.name}: leave")]
)
async def test_leave_is_told_with_names_and_a_simulation_not_at_all(
    site: Site, language: Language, wanted: str
) -> None:
    leave = (Leave(first=date(2026, 12, 7), last=date(2026, 12, 20), substitute=SENIOR.id),)
    async with site.pool.acquire() as conn:
        for plan in (WorkPlan(hours={1: (("09:00", "18:00"),)}), WorkPlan(hours={}, leave=leave)):
            await save_schedule(conn, ACCOUNT, "Sales", Schedule(people={ANNA.id: plan}), by="test")
        await long_tasks.ask(conn, ACCOUNT, "distribution_simulation", {"days": 7}, "olga")
    page = (await site.as_("admin", language=language).get("/setup/audit")).page
    told = page.one("tbody").text
    assert wanted in told
    assert SENIOR.name in told
    assert "people." not in told
    assert ANNA.id not in [cell.text for cell in page.all("td")]
    assert len(page.one("tbody").all("tr")) == 2, (
        "the simulation, which changes nothing, is shown to who asks for it"
    )
    asked = await site.as_("admin", language=language).get("/setup/audit?what=distribution_simulation")
    assert len(asked.page.one("tbody").all("tr")) == 1
    table = (await site.as_("admin", language=language).get("/setup/audit.csv")).text
    assert wanted in table
