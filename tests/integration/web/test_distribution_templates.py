"""A template on its page: made, changed, refused at its field, saved by two at once, attached, tried, removed."""

from __future__ import annotations

from typing import Any

import pytest

from crm.port import Pipeline, Stage
from crm.store.metadata import store_pipelines
from gateway.admin.distribution.orders import SIMULATION
from gateway.admin.distribution.templates import save_template
from gateway.distribution.availability import AccountHours
from gateway.distribution.simulate import simulation_work
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.staff import replace_staff
from gateway.store.channels.channels import add_channel
from gateway.store.distribution.templates import attachments_of, template_of
from gateway.store.worker import long_tasks
from routing.dialogues.rules import ChannelRules
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.staff import Employee
from sms.channels.port import MessengerChannel
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site
from tests.integration.web.html import Element

NEW = "/distribution/new"
SHOP = "/distribution/templates/shop"
PETR = Employee(id="petr", name="Пётр Белых", crm_user_id="77", extensions=("107",), group="sales")


@pytest.fixture
async def shop(site: Site) -> Site:
    """Two who can get deals and a group of one; a pipeline of three stages; a template by percent."""
    stages = (
        Stage(id="10", name="Неразобранное", sort=0, is_closed=False, is_unsorted=True),
        Stage(id="20", name="Новая", sort=10, is_closed=False, is_unsorted=False, colour="#99ccff"),
        Stage(id="142", name="Успешно", sort=99, is_closed=True, is_unsorted=False),
    )
    pipeline = Pipeline(
        id="1", name="Продажи", is_main=True, is_archived=False, is_unsorted_on=True, stages=stages
    )
    members = (
        TemplateMember(employee_id=ANNA.id, percent=7000),
        TemplateMember(employee_id="petr", percent=3000),
    )
    template = DistributionTemplate(name="shop", kind="load", balance="percent", employees=members)
    async with site.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, PETR])
        await store_pipelines(conn, ACCOUNT, [pipeline])
        await save_template(conn, ACCOUNT, template, by="test")
    return site


def filled(page: Element) -> dict[str, Any]:
    """What a browser without script would send of the form."""
    found: dict[str, list[str]] = {}
    form = page.by_id("template-form")
    for box in form.all("input"):
        if box.get("type") in ("radio", "checkbox") and "checked" not in box.attributes:
            continue
        if box["name"] != "csrf":
            found.setdefault(box["name"], []).append(box.attributes.get("value", "on"))
    for choice in form.all("select"):
        chosen = [one["value"] for one in choice.all("option") if "selected" in one.attributes]
        found[choice["name"]] = chosen[:1] or [choice.all("option")[0]["value"]]
    return dict(found)


async def saved(site: Site, name: str = "shop") -> DistributionTemplate:
    async with site.pool.acquire() as conn:
        found = await template_of(conn, ACCOUNT, name)
    assert found is not None
    return found.template


async def test_the_first_template_is_made_step_by_step_without_script(site: Site) -> None:
    admin = site.as_("admin")
    empty = await admin.get("/distribution/templates")
    assert "Создайте первый" in empty.words
    page = await admin.get("/distribution/new?kind=load")
    form = filled(page.page)
    assert form["way"] == ["load.even"]
    added = await admin.post(
        NEW, {**form, "name": "Заявки с сайта", "add": f"employee:{ANNA.id}", "do": "add"}
    )
    assert (added.status, added.page.by_id("name")["value"]) == (200, "Заявки с сайта")
    assert ANNA.name in added.page.by_id("employees").text
    done = await admin.post(NEW, {**filled(added.page), "do": "save"})
    assert done.status == 303, done.words
    shown = await admin.get(done.location)
    assert "ни к одному этапу не прикреплён" in shown.words
    assert (await saved(site, "Заявки с сайта")).working_time.wait is True
    listed = (await admin.get("/distribution/templates")).page.one("tbody").text
    assert "По нагрузке: Поровну" in listed


async def test_what_is_saved_unchanged_stays_as_it_was_whatever_is_set(shop: Site) -> None:
    every = DistributionTemplate.model_validate(
        {
            "name": "all",
            "kind": "turn",
            "balance": "spread",
            "groups": [{"name": "sales", "members": [{"employee_id": "petr", "weight": 3}]}],
            "employees": [{"employee_id": ANNA.id, "weight": 2, "priority": 1, "open_deals_limit": 7}],
            "catch_up": 1,
            "repeat": {
                "by": "both",
                "threshold": 3,
                "exclusions": [SENIOR.id],
                "pipelines": ["1"],
                "when_away": "wait",
            },
            "working_time": {
                "mode": "common",
                "wait": False,
                "gather_minutes": 0,
                "per_minute": 2,
                "age_limit_hours": None,
            },
            "open_deals_limit": 40,
            "window": {"deals": 3, "minutes": 60},
            "taken": {"signs": ["call"], "minutes": 15, "rounds": 2},
            "nobody": {"do": "fallback", "employee_id": ANNA.id},
            "also_change": ["contact", "deal_tasks"],
            "quiet_hours": [["21:00", "09:00"]],
        },
        strict=False,
    )
    async with shop.pool.acquire() as conn:
        await save_template(conn, ACCOUNT, every, by="test")
    admin = shop.as_("admin")
    path = "/distribution/templates/all"
    answer = await admin.post(path, {**filled((await admin.get(path)).page), "do": "save"})
    assert answer.status == 303, answer.words
    assert await saved(shop, "all") == every


async def test_shares_that_are_not_whole_are_refused_with_the_missing_part_and_mended_by_one_click(
    shop: Site,
) -> None:
    admin = shop.as_("admin")
    form = {**filled((await admin.get(SHOP)).page), "percent": ["70", "25"]}
    refused = await admin.post(SHOP, {**form, "do": "save"})
    assert refused.status == 422
    sums = refused.page.by_id("template-sums")
    assert "Сумма 95" in sums.text
    assert "нужно ровно 100" in sums.text
    button = sums.one("button")
    assert (button.text, button["value"]) == ("Добавить 5 %: Пётр Белых", "fill:")
    assert (await saved(shop)).employees[1].percent == 3000, "nothing was stored"
    mended = await admin.post(SHOP, {**filled(refused.page), "do": button["value"]})
    assert mended.page.by_id("employee-1-percent")["value"] == "30"
    assert "Сумма 100" in mended.page.by_id("template-sums").text
    alone = await admin.post(f"{SHOP}?part=sums", {**form, "percent": ["70", "40"]})
    assert "Убавить 10" in alone.words
    assert not alone.page.all("form")


async def test_every_wrong_figure_is_said_at_its_field_and_stays_typed(shop: Site) -> None:
    admin = shop.as_("admin", language="en")
    form = filled((await admin.get(SHOP)).page)
    wrong = {"percent": ["a lot", "30"], "gather_minutes": "-1", "quiet_from": ["21"], "quiet_to": [""]}
    page = (await admin.post(SHOP, {**form, **wrong, "do": "save"})).page
    for id in ("employee-0-percent", "gather_minutes", "quiet-0"):
        assert page.by_id(f"{id}-error").text
    assert page.by_id("employee-0-percent")["value"] == "a lot"
    links = [link["href"] for link in page.one("div", cls="cm-summary").all("a")]
    assert links == ["#employee-0-percent", "#gather_minutes", "#quiet-0"]
    named = await admin.post(NEW, {"name": "a/b", "employee": [ANNA.id], "do": "save"})
    assert "This cannot be a name" in named.page.by_id("name-error").text


async def test_two_who_edit_lose_nothing(shop: Site) -> None:
    admin, senior = shop.as_("admin"), shop.as_("senior_manager")
    mine = {**filled((await admin.get(SHOP)).page), "percent": ["50", "50"]}
    theirs = {**filled((await senior.get(SHOP)).page), "percent": ["60", "40"]}
    assert (await senior.post(SHOP, {**theirs, "do": "save"})).status == 303
    conflict = await admin.post(SHOP, {**mine, "do": "save"})
    assert conflict.status == 409
    told = conflict.page.by_id("conflict").text
    assert senior.person is not None
    assert senior.person.name in told
    assert "60 %" in told
    assert "50 %" in told
    assert conflict.page.by_id("employee-0-percent")["value"] == "50", "what was typed stays"
    assert (await saved(shop)).employees[0].percent == 6000
    assert (await admin.post(SHOP, {**filled(conflict.page), "do": "save"})).status == 303
    assert (await saved(shop)).employees[0].percent == 5000
    taken = await admin.post(NEW, {"name": "shop", "employee": [ANNA.id], "do": "save"})
    assert "уже есть" in taken.page.by_id("name-error").text


async def test_a_group_is_listed_with_its_people_and_may_share_by_itself(shop: Site) -> None:
    admin = shop.as_("admin")
    form = {**filled((await admin.get(SHOP)).page), "add": "group:sales", "do": "add"}
    page = (await admin.post(SHOP, form)).page
    assert "следим за составом" in page.by_id("employees").text
    assert PETR.name in page.by_id("employees").text
    opened = (await admin.post(SHOP, {**filled(page), "do": "open:sales"})).page
    assert opened.by_id("group-0-member-0-percent")["value"] == ""
    typed = {**filled(opened), "do": "drop:employee:petr", "member_percent": ["90"], "group_percent": ["30"]}
    after = (await admin.post(SHOP, typed)).page
    assert "Отдел «sales»: сумма 90" in after.by_id("template-sums").text
    whole = (await admin.post(SHOP, {**filled(after), "do": "fill:sales"})).page
    assert (await admin.post(SHOP, {**filled(whole), "do": "save"})).status == 303
    assert (await saved(shop)).groups[0].members[0].percent == 10_000


async def test_rights_whoever_is_bound_sees_and_changes_theirs_only(shop: Site) -> None:
    async with shop.pool.acquire() as conn:
        other = DistributionTemplate(name="ads", employees=(TemplateMember(employee_id=ANNA.id),))
        await save_template(conn, ACCOUNT, other, by="test")
    bound = shop.as_("senior_manager", bound=Bindings(account_id=ACCOUNT, templates=("ads",)))
    listed = (await bound.get("/distribution/templates")).page.one("tbody")
    assert [row.all("a")[0].text for row in listed.all("tr")] == ["ads"]
    assert (await bound.get(SHOP)).status == 403
    assert (await bound.post(SHOP, {"do": "save"})).status == 403
    own = "/distribution/templates/ads"
    assert (await bound.post(own, {**filled((await bound.get(own)).page), "do": "save"})).status == 303
    new = await bound.post(NEW, {"name": "mine", "employee": [ANNA.id], "do": "save"})
    assert new.status == 422
    assert "Доступ даёт администратор" in new.words
    looks = (await shop.as_("read_only").get(SHOP)).page
    assert looks.by_id("template-form").all("fieldset")[0].get("disabled") is not None
    assert not looks.all("button", name="do", value="simulate")


async def test_stages_are_attached_detached_and_refused_in_words(shop: Site) -> None:
    admin = shop.as_("admin")
    page = (await admin.get(SHOP)).page.by_id("stages")
    assert [o["value"] for o in page.one("select").all("option")] == ["", "1:20"], (
        "closed ones are not offered"
    )
    occasions = {"entered": "on", "created": "on"}
    assert (await admin.post(f"{SHOP}/stages", {"stage": "1:20", **occasions})).status == 303
    async with shop.pool.acquire() as conn:
        assert [a.stage_id for a in await attachments_of(conn, ACCOUNT, "shop")] == ["20"]
    shown = (await admin.get("/distribution/templates")).page.one("tbody")
    assert "Новая" in shown.text
    assert shown.all("rect")[0]["fill"] == "#99ccff"
    for form, said in (
        ({"stage": "", **occasions}, "Выберите открытый этап"),
        ({"stage": "1:142", **occasions}, "Выберите открытый этап"),
        ({"stage": "1:20"}, "Отметьте те, что переходят на этап"),
    ):
        refused = await admin.post(f"{SHOP}/stages", form)
        assert (refused.status, said in refused.words) == (422, True), form
    give = await admin.get(f"{SHOP}/stages/1/20/give")
    assert "Раздавать нечего" in give.words
    assert "больше не будут раздаваться" in (await admin.get(f"{SHOP}/stages/1/20/detach")).words
    assert (await admin.post(f"{SHOP}/stages/1/20/detach")).status == 303
    assert (await admin.post(f"{SHOP}/stages/1/20/detach")).status == 404


async def test_removing_says_what_hangs_on_it(shop: Site) -> None:
    admin = shop.as_("admin")
    async with shop.pool.acquire() as conn:
        await conn.execute(
            "INSERT INTO admin_user (login, name, role, account_id, templates, schedules, password_hash, counters)"
            " VALUES ('o', 'Ольга', 'senior_manager', $1, '{shop}', '{}', '', '{}')",
            ACCOUNT,
        )
    assert "только этот" in (await admin.get(SHOP)).page.by_id("rights").text
    asked = (await admin.get(f"{SHOP}/remove")).words
    assert "Удалить шаблон «shop»?" in asked
    assert "Шаблон называют: пользователь Ольга." in asked
    used = await admin.post(f"{SHOP}/remove")
    assert (used.status, "пользователь Ольга" in used.words) == (409, True)
    assert (await admin.post(f"{SHOP}/remove", {"even_if_used": "true"})).status == 303
    assert (await admin.get(SHOP)).status == 404
    assert (await shop.as_("senior_manager").get(f"{SHOP}/remove")).status == 403


@pytest.mark.parametrize(("template", "links"), [("shop", ["/setup/channels"]), ("another", [])])
async def test_who_removes_a_template_that_a_channel_names_is_led_to_the_channels(
    shop: Site, template: str, links: list[str]
) -> None:
    channel = MessengerChannel(account_id=ACCOUNT, id="c1", name="Retail", kind="sandbox")
    rules = ChannelRules(pipeline_id="1", stage_id="11", owner="template", template=template)
    async with shop.pool.acquire() as conn, conn.transaction():
        assert await add_channel(conn, channel, rules, secret="hush") is not None
    page = (await shop.as_("admin").get(f"{SHOP}/remove")).page.one("main")
    assert ("Retail" in page.text) is bool(links)
    assert [a["href"] for a in page.all("a", href="/setup/channels")] == links


async def _counted(site: Site) -> None:
    """Do as the worker does."""
    async with site.pool.acquire() as conn:
        work = await long_tasks.take(conn, [SIMULATION])
    assert work is not None

    async def progress(done: int, total: int | None) -> None:
        return None

    result = await simulation_work(site.pool, AccountHours(), ACCOUNT, work.asked, progress)
    async with site.pool.acquire() as conn:
        await long_tasks.ended(conn, work, "done", result=result)


async def test_a_draft_is_tried_beside_the_form_and_nothing_is_written(shop: Site) -> None:
    admin = shop.as_("admin")
    form = {**filled((await admin.get(SHOP)).page), "percent": ["80", "20"], "over": "made_up"}
    asked = await admin.post(SHOP, {**form, "do": "simulate"})
    assert "Сейчас посчитаем" in asked.page.by_id("simulation").text
    assert asked.page.by_id("employee-0-percent")["value"] == "80"
    await _counted(shop)
    work = asked.page.one("input", name="simulation")["value"]
    look = await admin.post(SHOP, {**form, "simulation": work, "do": "look"})
    said = look.page.by_id("simulation")
    assert "Придуманных сделок: 100" in said.text
    cells = [[cell.text for cell in row.all("td")][:2] for row in said.one("table").one("tbody").all("tr")]
    assert cells == [["80", "80"], ["20", "20"]]
    assert "до последней правки" not in said.text
    assert (await saved(shop)).employees[0].percent == 7000
    assert await shop.pool.fetchval("SELECT count(*) FROM distribution_journal") == 0
    stale = await admin.post(f"{SHOP}?part=simulation", {**form, "percent": ["79", "21"], "simulation": work})
    assert "до последней правки" in stale.words
    assert "до последней правки" in (await admin.get(SHOP)).page.by_id("simulation").text
    first = said.one("details", cls="cm-more").all("a")[0]["href"]
    log = await admin.get(first)
    assert "Кто мог получить" in log.words
    assert f"{ANNA.name}: наибольший остаток" in log.words
    assert (await admin.get(first.rpartition("/")[0] + "/500")).status == 404


async def test_a_template_for_which_nothing_came_yet_is_tried_on_deals_that_were_created(shop: Site) -> None:
    admin = shop.as_("admin")
    await shop.pool.execute(
        "INSERT INTO directory_entity (account_id, kind, entity_id, name, owner_id, pipeline_id, stage_id, is_open,"
        " created_at, updated_at) SELECT $1, 'deal', n::text, 'Deal', '11', '1', '11', true, now() - interval '1 day',"
        " now() FROM generate_series(1, 5) AS n",
        ACCOUNT,
    )
    form = {**filled((await admin.get(SHOP)).page), "over": "week"}
    asked = await admin.post(SHOP, {**form, "do": "simulate"})
    await _counted(shop)
    work = asked.page.one("input", name="simulation")["value"]
    said = (await admin.post(SHOP, {**form, "simulation": work, "do": "look"})).page.by_id("simulation").text
    assert "Настоящих сделок: 5" in said
    assert "взяты сделки, созданные в CRM" in said


async def test_no_shares_no_trial(shop: Site) -> None:
    admin = shop.as_("admin")
    form = {**filled((await admin.get(SHOP)).page), "percent": ["80", "10"]}
    refused = await admin.post(SHOP, {**form, "do": "simulate"})
    assert refused.status == 422
    assert await shop.pool.fetchval("SELECT count(*) FROM long_work") == 0


async def test_why_a_draft_cannot_be_tried_is_said_in_a_sentence_beside_the_form(shop: Site) -> None:
    admin = shop.as_("admin")
    form = {**filled((await admin.get(SHOP)).page), "version": "0", "do": "simulate"}
    for name, said in (
        ("Кухни <b>/</b>", "Название не подходит: до 100 знаков, без /"),
        ("", "Впишите название"),
    ):
        refused = await admin.post(NEW, {**form, "name": name}, **{"HX-Request": "true"})
        assert said in refused.page.by_id("simulation").text
        assert "Phrase" not in refused.words


async def test_presses_add_no_rows_of_quiet_hours(shop: Site) -> None:
    admin = shop.as_("admin")
    page = (await admin.get(SHOP)).page
    for quiet in (["21:00", ""], ["21:00", "", ""]):
        form = {**filled(page), "quiet_from": quiet, "quiet_to": ["", "", ""][: len(quiet)], "do": "add"}
        page = (await admin.post(SHOP, form)).page
        assert [row["value"] for row in page.all("input", name="quiet_from")] == ["21:00", ""]
    refused = await admin.post(
        SHOP, {**filled(page), "quiet_from": ["", "21"], "quiet_to": ["", "9"], "do": "save"}
    )
    assert [row["value"] for row in refused.page.all("input", name="quiet_from")] == ["21", ""]
    assert refused.page.by_id("quiet-0-error").text


async def test_who_removes_an_employee_is_told_before_in_words_what_names_them(shop: Site) -> None:
    asked = (await shop.as_("admin").get("/setup/employees/petr/remove")).words
    assert "называют: шаблон «shop»." in asked


async def test_a_version_of_before_is_looked_at_and_taken_back(shop: Site) -> None:
    admin = shop.as_("admin")
    form = {**filled((await admin.get(SHOP)).page), "percent": ["60", "40"]}
    assert (await admin.post(SHOP, {**form, "do": "save"})).status == 303
    page = (await admin.get(f"{SHOP}/versions")).page
    assert {one.text for one in page.by_id("version-2").all("del")} == {"70 %", "30 %"}
    assert [button.text for button in page.by_id("versions").all("button")] == ["Вернуть версию 1"]
    assert (await shop.as_("read_only").post(f"{SHOP}/versions/1")).status == 403
    assert (await admin.post(f"{SHOP}/versions/1")).status == 303
    assert [member.percent for member in (await saved(shop)).employees] == [7000, 3000]
    assert (await admin.post(f"{SHOP}/versions/99")).status == 404
