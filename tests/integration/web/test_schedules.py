"""Schedules: listed with what is wrong, made, copied, deleted with a question that names what stands on them."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from gateway.admin.distribution.templates import save_template
from gateway.admin.schedules.saved import save_schedule, the_schedule
from gateway.store.admin.bindings import Bindings
from routing.distribution.template import DistributionTemplate, TemplateHours, TemplateMember
from routing.schedules.model import Leave, Schedule, WorkPlan
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site

SALES = "Отдел продаж"
PLACE = f"/shifts/schedules/{quote(SALES)}"
_WEEK = WorkPlan(hours=dict.fromkeys(range(1, 6), (("09:00", "18:00"),)))


async def prepare_sales(site: Site) -> None:
    """A schedule with Anna in it, and a template by it in which the senior manager takes part too."""
    hours = TemplateHours(mode="individual", schedule=SALES)
    members = tuple(TemplateMember(employee_id=person.id) for person in (ANNA, SENIOR))
    async with site.pool.acquire() as conn:
        await save_schedule(conn, ACCOUNT, SALES, Schedule(people={ANNA.id: _WEEK}), by="test")
        await save_schedule(conn, ACCOUNT, "Ночь", Schedule(kind="by_day"), by="test")
        template = DistributionTemplate(name="Опт", employees=members, working_time=hours)
        await save_template(conn, ACCOUNT, template, by="test")


async def test_schedules_are_listed_made_copied_and_deleted(site: Site) -> None:
    senior = site.as_("senior_manager")
    empty = await senior.get("/shifts/schedules")
    assert "Графиков ещё нет" in empty.words
    await prepare_sales(site)
    page = (await senior.get("/shifts/schedules")).page
    rows = {row.one("th", scope="row").text: row.text for row in page.one("tbody").all("tr")}
    assert list(rows) == ["Ночь", SALES]
    assert "не хватает: 1 Ольга" in rows[SALES]
    assert "Опт" in rows[SALES]
    assert "В графике никого нет" in rows["Ночь"]
    taken = await senior.post("/shifts/new-schedule", {"name": SALES, "kind": "by_day"})
    assert (taken.status, taken.page.by_id("name-error").text) == (
        422,
        "Такое название уже есть. Выберите другое.",
    )
    made = await senior.post(
        "/shifts/new-schedule", {"name": "Склад", "kind": "weekly", "whose": "everybody"}
    )
    assert made.location == f"/shifts/schedules/{quote('Склад')}"
    copied = await senior.post(f"{PLACE}/copy", {"name": "Опт (копия)"})
    assert copied.status == 303
    async with site.pool.acquire() as conn:
        assert (await the_schedule(conn, ACCOUNT, "Опт (копия)")).schedule.people == {ANNA.id: _WEEK}
        assert (await the_schedule(conn, ACCOUNT, "Склад")).schedule.everybody is not None
    question = await senior.get(f"{PLACE}/remove")
    assert "Удалить график «Отдел продаж»?" in question.words
    assert "шаблоны (1): Опт" in question.words
    assert (await senior.post(f"{PLACE}/remove", {})).status == 409, "it names what stands on it first"
    assert (await senior.post(f"{PLACE}/remove", {"even_if_used": "1"})).status == 303
    left = (await senior.get("/shifts/schedules")).page.one("tbody").all("th", scope="row")
    assert [one.text for one in left] == ["Ночь", "Опт (копия)", "Склад"]


async def test_who_is_bound_to_schedules_sees_and_changes_these_and_a_manager_their_own(site: Site) -> None:
    await prepare_sales(site)
    bound = site.as_("senior_manager", bound=Bindings(account_id=ACCOUNT, schedules=("Ночь",)))
    page = (await bound.get("/shifts/schedules")).page
    assert [one.text for one in page.one("tbody").all("th", scope="row")] == ["Ночь"]
    assert not page.all("a", href="/shifts/new-schedule")
    assert (await bound.post(f"{PLACE}/remove", {"even_if_used": "1"})).status == 403
    assert (await bound.post("/shifts/new-schedule", {"name": "x"})).status == 422
    assert (await bound.post(f"/shifts/schedules/{quote('Ночь')}/remove", {})).status == 303
    anna = site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id))
    own = (await anna.get("/shifts/schedules")).page
    assert [one.text for one in own.one("tbody").all("th", scope="row")] == [SALES]
    assert not own.all("a", href=f"{PLACE}/remove")
    reader = site.as_("read_only", language="en")
    assert len((await reader.get("/shifts/schedules")).page.one("tbody").all("tr")) == 1


async def test_a_manager_edits_and_deletes_the_schedules_that_are_named_to_them(site: Site) -> None:
    await prepare_sales(site)
    night = f"/shifts/schedules/{quote('Ночь')}"
    anna = site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id, schedules=("Ночь",)))
    assert [one.text for one in (await anna.get("/shifts/schedules")).page.all("th", scope="row")] == ["Ночь"]
    grid = (await anna.get(night)).page
    assert grid.all("a", href=f"{night}/settings")
    added = await anna.post(f"{night}/lines", {"line": f"p:{ANNA.id}"})
    assert added.status == 303, added.words
    async with site.pool.acquire() as conn:
        assert ANNA.id in (await the_schedule(conn, ACCOUNT, "Ночь")).schedule.people
    assert (await anna.get(f"{PLACE}/settings")).status == 403
    assert (await anna.post(f"{PLACE}/remove", {"even_if_used": "1"})).status == 403
    assert (await anna.post("/shifts/new-schedule", {"name": "x"})).status == 403
    assert (await anna.post(f"{night}/copy", {"name": "x"})).status == 422, "a copy would be none of theirs"
    assert (await anna.post(f"{night}/remove", {"even_if_used": "1"})).status == 303


async def test_who_has_no_working_day_is_named_once_and_in_words(site: Site) -> None:
    await prepare_sales(site)
    free, week = WorkPlan(hours={}), _WEEK
    async with site.pool.acquire() as conn:
        for name, people in (
            ("Один", {ANNA.id: week, SENIOR.id: free}),
            ("Двое", {ANNA.id: free, SENIOR.id: free}),
        ):
            await save_schedule(conn, ACCOUNT, name, Schedule(people=people), by="test")
    senior = site.as_("senior_manager")
    listed = (await senior.get("/shifts/schedules")).words
    assert f"{SENIOR.name}: ни одного рабочего дня." in listed
    both = (await senior.get(f"/shifts/schedules/{quote('Двое')}")).words
    assert both.count("ни одного рабочего дня") == 1
    assert ANNA.name in both.partition(": ни одного рабочего дня")[0]
    for words in (listed, both):
        assert "по ним никто не на смене" not in words
        assert "mon-fri" not in words


async def test_leave_has_a_substitute_on_the_page(site: Site) -> None:
    await prepare_sales(site)
    senior = site.as_("senior_manager")
    form = {"who": f"p:{ANNA.id}", "first": "2026-12-07", "last": "2026-12-20", "substitute": SENIOR.id}

    async def leave() -> tuple[Leave, ...]:
        async with site.pool.acquire() as conn:
            return (await the_schedule(conn, ACCOUNT, SALES)).schedule.people[ANNA.id].leave

    assert (await senior.post(f"{PLACE}/leave", form)).location == f"{PLACE}/settings"
    assert await leave() == (Leave(first=date(2026, 12, 7), last=date(2026, 12, 20), substitute=SENIOR.id),)
    page = (await senior.get(f"{PLACE}/settings")).page
    row = page.by_id("leave-panel").one("tbody").one("tr")
    assert ("07.12.2026" in row.text, SENIOR.name in row.text) == (True, True)
    cut = await senior.post(
        f"{PLACE}/leave", {**form, "first": "2026-12-10", "last": "2026-12-12", "substitute": ""}
    )
    said = await senior.get(f"{PLACE}/settings", Cookie=cut.headers["Set-Cookie"].split(";")[0])
    assert "Прежний отпуск сокращён или снят: 7 декабря – 20 декабря" in said.words, "and it is said so"
    assert [(one.first.day, one.last.day, one.substitute) for one in await leave()] == [
        (7, 9, SENIOR.id),
        (10, 12, None),
        (13, 20, SENIOR.id),
    ]
    for wrong, field in (
        ({"first": ""}, "leave-first"),
        ({"last": "2026-12-01"}, "leave-last"),
        ({"substitute": ANNA.id}, "leave-substitute"),
        ({"who": "p:nobody"}, "leave"),
    ):
        refused = await senior.post(f"{PLACE}/leave", {**form, **wrong})
        assert (refused.status, bool(refused.page.by_id(f"{field}-error").text)) == (422, True), wrong
        assert refused.page.by_id(field)["aria-invalid"] == "true"
    gone = {"who": f"p:{ANNA.id}", "first": "2026-12-10", "last": "2026-12-12"}
    assert (await senior.post(f"{PLACE}/leave/remove", gone)).status == 303
    assert len(await leave()) == 2


async def test_each_field_of_a_named_shift_that_is_empty_is_marked(site: Site) -> None:
    await prepare_sales(site)
    senior = site.as_("senior_manager", language="en")
    refused = await senior.post(f"{PLACE}/shifts", {"name": "Day", "letter": "", "hours": ""})
    said = {name: bool(refused.page.all(id=f"shift-{name}-error")) for name in ("name", "letter", "hours")}
    assert (refused.status, said) == (422, {"name": False, "letter": True, "hours": True})
    assert refused.page.by_id("shift-name")["value"] == "Day"
