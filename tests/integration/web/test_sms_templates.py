"""SMS templates: written, seen on real deals, refused at their fields."""

from __future__ import annotations

from gateway.store.triggers.triggers import trigger_of
from routing.triggers.model import SendSms, Trigger
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.selling import deal, open_shop, sms_form


async def saved(site: Site, name: str = "ready") -> Trigger | None:
    async with site.pool.acquire() as conn:
        found = await trigger_of(conn, ACCOUNT, name)
    return found.trigger if found else None


async def test_an_example_becomes_a_template_that_is_off_until_it_is_switched_on(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    page = await admin.get("/messages/sms")
    assert "ничего не уйдёт, пока шаблон не включён" in page.words
    [example] = page.page.all("a", href="/messages/new-trigger?do=sms&example=ready")
    form = (await admin.get(example["href"])).page
    assert [one.tag for one in form.all(hx_post="/messages/preview")] == [
        "div"
    ]  # a form would wait to be complete
    text = form.by_id("template").text
    assert "{{ maincontact.first_name }}" in text
    [only] = [o for o in form.by_id("provider").all("option") if o.get("selected") is not None]
    assert only["value"] == "texts"
    answer = await admin.post("/messages/new-trigger", sms_form(name="Заказ готов", template=text))
    assert (
        answer.location
        == "/messages/triggers/%D0%97%D0%B0%D0%BA%D0%B0%D0%B7%20%D0%B3%D0%BE%D1%82%D0%BE%D0%B2"
    )
    trigger = await saved(site, "Заказ готов")
    assert trigger is not None
    assert isinstance(trigger.action, SendSms)
    assert (trigger.is_on, trigger.action.to.client, trigger.stage_id) == (False, True, "11")
    again = await admin.get(answer.location)
    assert again.page.by_id("template").text == text
    listed = await admin.get("/messages/sms")
    assert "SMS через texts: клиенту" in listed.words
    assert "выключен" in listed.words


async def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    for changes, field, said in (
        ({"template": "{{ maincontact.nmae }}"}, "template", "maincontact.name"),
        ({"template": None}, "template", "Напишите текст"),
        ({"to_client": None}, "to_client", "SMS"),
        ({"place": None}, "place", "Выберите воронку и этап"),
        ({"provider": None}, "provider", "Выберите провайдера"),
        ({"max_parts": "99"}, "max_parts", "от 1 до 20"),
        ({"max_parts": "two"}, "max_parts", "от 1 до 20"),
        ({"name": "a/b"}, "name", "60 знаков"),
        ({"e0.on": None}, "e0-on", "хотя бы одно событие"),
        ({"e0.on": "price_crossed"}, "e0-on", "сумма"),
        ({"c0.of": "price", "c0.test": "above", "c0.values": "50,000"}, "c0-of", "50,000"),
        ({"c0.of": "responsible", "c0.values": "Nobody"}, "c0-of", "Nobody"),
        ({"employees": ["boss"], "to_client": None, "template": "x" * 3000}, "template", "2000"),
    ):
        answer = await admin.post("/messages/new-trigger", sms_form(**changes))
        assert answer.status == 422, changes
        assert said in answer.page.by_id(f"{field}-error").text, changes
        assert await saved(site) is None
    typed = await admin.post("/messages/new-trigger", sms_form(template="{{ x }}", sender="Lad"))
    assert typed.page.by_id("sender")["value"] == "Lad", "what was typed stays"


async def test_the_text_is_shown_and_counted_on_a_real_deal(site: Site) -> None:
    await open_shop(site.pool)
    await deal(site.pool, "1", "+79160000001", client="Наталья Климова")
    await deal(site.pool, "2", "+74951230099", client="Office")
    await deal(site.pool, "3", "+79160000003", client="")
    admin = site.as_("admin")
    page = await admin.post("/messages/preview", sms_form(), **{"HX-Request": "true"})
    assert page.page.one("p", cls="cm-bubble").text == "Н аталья, your order Deal 1 is ready"
    assert page.page.one("mark").text == "Н"
    assert "Длинный алфавит из-за «Н»" in page.words
    assert "35 знаков, 1 SMS: помещается 70" in page.words
    deals = page.page.by_id("stage-deals").text
    assert "3 сделки, с замечанием 2" in deals
    assert "клиент сделки: номер не мобильный" in deals
    assert "Пусто: имя основного контакта без фамилии" in deals
    latin = await admin.post("/messages/preview", sms_form(deal="2"), **{"HX-Request": "true"})
    assert "Латиница: 160 в одной SMS, дальше по 153" in latin.words
    unknown = await admin.post("/messages/preview", sms_form(deal="99"), **{"HX-Request": "true"})
    assert "Сделки 99 в нашей копии CRM нет" in unknown.words
    assert await saved(site) is None


async def test_without_script_a_variable_goes_to_the_end_and_rows_are_added(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin", language="en")
    page = (await admin.post("/messages/new-trigger", sms_form(template="Hi ", act="insert.user.name"))).page
    assert page.by_id("template").text == "Hi {{ user.name }}"
    page = (await admin.post("/messages/new-trigger", sms_form(act="more"))).page
    assert len(page.all("select", id="e1-on")) == 1
    page = (await admin.post("/messages/new-trigger", sms_form(act="preview", template="Hello"))).page
    assert page.one("p", cls="cm-bubble").text == "Hello"
    assert await saved(site) is None


async def test_employees_who_cannot_read_sms_are_not_offered(site: Site) -> None:
    await open_shop(site.pool)
    page = (await site.as_("admin").get("/messages/new-trigger?do=sms")).page
    assert [box["value"] for box in page.all("input", name="employees")] == ["anna"]  # the boss has no mobile
    senior = site.as_("senior_manager")
    assert (await senior.get("/messages/sms")).status == 200
    assert (await senior.get("/messages/new-trigger")).status == 403
    assert (await senior.post("/messages/new-trigger", sms_form())).status == 403
    assert (await site.as_("manager").get("/messages/sms")).status == 403


async def test_a_version_of_before_is_looked_at_and_taken_back(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    await admin.post("/messages/new-trigger", sms_form())
    await admin.post("/messages/triggers/ready", sms_form(version="1", template="Come and fetch it"))
    page = (await site.as_("senior_manager", language="en").get("/messages/triggers/ready/versions")).page
    assert "Come and fetch it" in page.by_id("version-2").one("ins").text
    assert page.by_id("versions").all("button") == []
    assert (await admin.post("/messages/triggers/ready/versions/1")).status == 303
    trigger = await saved(site)
    assert trigger is not None
    assert isinstance(trigger.action, SendSms)
    assert "is ready" in trigger.action.template
    assert (await admin.post("/messages/triggers/ready/versions/77")).status == 404
