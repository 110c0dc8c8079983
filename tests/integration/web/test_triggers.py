"""Triggers by pipeline and stage: saved, switched, removed, applied, and what they fired on."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.store.outbound.listing import queue_of
from gateway.store.triggers.firings import add_firing
from gateway.store.triggers.triggers import trigger_of
from gateway.store.worker import long_tasks
from routing.triggers.causes import applied
from routing.triggers.model import CallBack, SendSms, Trigger
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.html import Element
from tests.integration.web.selling import call_form, deal, open_shop, sms_form


async def saved(site: Site, name: str = "call") -> Trigger:
    async with site.pool.acquire() as conn:
        found = await trigger_of(conn, ACCOUNT, name)
    assert found is not None
    return found.trigger


async def test_every_option_of_an_auto_callback_is_saved_and_shown_again(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin")
    form = call_form(
        target="employee:anna",
        line="+74951230000",
        task_when_failed="on",
        failed_stage="1:12",
        succeeded_stage="1:12",
        priority="3",
        position="2",
        is_on="on",
        **{
            "e0.on": "price_crossed",
            "e0.about": "50 000",
            "e1.on": "tag_added",
            "e1.about": "vip",
            "c0.of": "responsible",
            "c0.test": "one_of",
            "c0.values": "анна, 1",
            "c2.of": "deal.cf_601",
            "c2.test": "is_filled",
        },
    )
    answer = await admin.post("/messages/new-trigger", form)
    assert answer.location == "/messages/triggers/call"
    trigger = await saved(site)
    assert [(e.on, e.amount, e.tag) for e in trigger.events] == [
        ("price_crossed", 50000, None),
        ("tag_added", None, "vip"),
    ]
    assert [(c.of, c.test, c.values) for c in trigger.conditions] == [
        ("responsible", "one_of", ("employee:anna", "1")),
        ("deal.cf_601", "is_filled", ()),
    ]
    action = trigger.action
    assert isinstance(action, CallBack)
    assert (action.line, action.priority, action.task_when_failed) == ("+74951230000", 3, True)
    assert action.failed_stage is not None
    assert (trigger.position, trigger.is_on, action.failed_stage.stage_id) == (2, True, "12")
    page = (await admin.get("/messages/triggers/call")).page
    again = _fields_of(page.by_id("trigger-form"))
    assert (again["c0.values"], again["e0.about"], again["target"]) == ("Анна, 1", "50000", "employee:anna")
    assert (await admin.post("/messages/triggers/call", again)).status == 303
    assert await saved(site) == trigger, "what is shown and sent back changes nothing"
    listed = (await admin.get("/messages/triggers")).words
    assert "бюджет дошёл до суммы или перешёл её снизу (50000) или добавлен тег (vip)" in listed
    assert "ответственный одно из Анна, 1" in listed
    assert "Звонок через office, говорит Анна" in listed


def _fields_of(form: Element) -> dict[str, str]:
    """What a browser would send of it."""
    sent: dict[str, str] = {"act": "save"}
    for one in form.walk():
        name = one.get("name")
        if not name or one.tag == "button" or name == "csrf":
            continue
        if one.tag == "select":
            chosen = [o["value"] for o in one.all("option") if o.get("selected") is not None]
            sent[name] = chosen[0] if chosen else one.all("option")[0]["value"]
        elif one.get("type") != "checkbox" or one.get("checked") is not None:
            sent[name] = one.get("value") or ("" if one.tag != "textarea" else one.text)
    return sent


async def test_somebody_elses_save_is_not_overwritten(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin", language="en")
    await admin.post("/messages/new-trigger", sms_form())
    taken = await admin.post("/messages/new-trigger", sms_form(template="Other"))
    assert (taken.status, "There is a trigger of this name" in taken.words) == (409, True)
    page = (await admin.get("/messages/triggers/ready")).page
    version = page.one("input", name="version")["value"]
    assert (
        await admin.post("/messages/triggers/ready", sms_form(version=version, template="A"))
    ).status == 303
    late = await admin.post("/messages/triggers/ready", sms_form(version=version, template="B"))
    assert late.status == 409
    assert late.page.by_id("template").text == "B", "the form is kept"
    said = late.page.by_id("conflict")
    assert (said.one("del").text, said.one("ins").text) == ("A", "B")
    assert "Version 2" in said.text
    mine = late.page.one("input", name="version")["value"]
    assert (await admin.post("/messages/triggers/ready", sms_form(version=mine, template="B"))).status == 303
    action = (await saved(site, "ready")).action
    assert isinstance(action, SendSms)
    assert action.template == "B"


async def test_what_was_typed_outlives_the_removal_of_its_trigger(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin", language="en")
    await admin.post("/messages/new-trigger", sms_form())
    await admin.post("/messages/triggers/ready/remove")
    late = await admin.post("/messages/triggers/ready", sms_form(version="1", template="Mine"))
    assert (late.status, "deleted meanwhile" in late.page.by_id("conflict").text) == (409, True)
    form = late.page.by_id("trigger-form")
    assert (await admin.post(form["action"], _fields_of(form))).status == 303
    action = (await saved(site, "ready")).action
    assert isinstance(action, SendSms)
    assert action.template == "Mine"


async def test_one_is_switched_off_and_removed_after_the_queue_is_counted(site: Site) -> None:
    await open_shop(site.pool)
    admin = site.as_("admin", language="en")
    await admin.post("/messages/new-trigger", call_form(is_on="on"))
    await site.pool.execute(
        'INSERT INTO outbound_item (account_id, item_id, kind, state, source, firing_id, "order")'
        " VALUES ($1, 'i1', 'callback', 'waiting', 'trigger', 'f1', '{\"trigger\": \"call\", \"version\": 1}')",
        ACCOUNT,
    )
    asked = await admin.get("/messages/triggers/call/off")
    assert "Taken out of the queue: 1" in asked.words
    assert (await admin.post("/messages/triggers/call/switch", {})).location == "/messages/triggers"
    assert (await saved(site)).is_on is False
    async with site.pool.acquire() as conn:
        assert await queue_of(conn, ACCOUNT) == []
    assert "Nothing of it waits" in (await admin.get("/messages/triggers/call/off")).words
    assert (await admin.post("/messages/triggers/call/switch", {"is_on": "on"})).status == 303
    assert (await saved(site)).is_on
    assert "history of its firings stays" in (await admin.get("/messages/triggers/call/remove")).words
    assert (await admin.post("/messages/triggers/call/remove")).status == 303
    assert (await admin.get("/messages/triggers/call")).status == 404
    assert "call" not in [a.text for a in (await admin.get("/messages/triggers")).page.all("a")]


async def test_it_is_applied_to_the_deals_of_the_stage_after_they_are_listed(site: Site) -> None:
    await open_shop(site.pool)
    for id, number in (("1", "+79160000001"), ("2", "+74951230099")):
        await deal(site.pool, id, number)
    admin = site.as_("admin")
    await admin.post("/messages/new-trigger", sms_form(**{"c0.of": "tags", "c0.values": "vip"}))
    page = await admin.get("/messages/triggers/ready/apply")
    assert page.page.one("h1").text == "Применить к сделкам, которые уже на этапе: 2"
    assert "Решит CRM: 2" in page.words
    assert "сначала включите" in page.words
    await admin.post("/messages/triggers/ready", sms_form(version="1", is_on="on"))
    page = await admin.get("/messages/triggers/ready/apply")
    assert "Сработает: 2" in page.words
    assert "номер не мобильный" in page.page.by_id("stage-deals").text
    assert "Применить к 2 сделкам" in [b.text for b in page.page.all("button")]
    assert not page.page.all(id="already")
    async with site.pool.acquire() as conn, conn.transaction():
        now = datetime.now(UTC)
        fired = await add_firing(
            conn, ACCOUNT, ("ready", 2), "1", applied("p"), source="apply", happened_at=now
        )
        await conn.execute("UPDATE firing SET state = 'queued' WHERE firing_id = $1", fired)
    page = await admin.get("/messages/triggers/ready/apply")
    assert "Из них уже срабатывало: 1 из 2" in page.page.by_id("already").text
    for _ in range(2):
        assert (await admin.post("/messages/triggers/ready/apply")).status == 303
    async with site.pool.acquire() as conn:
        [work] = await long_tasks.all_work(conn, ACCOUNT)
    assert (work.asked["trigger"], work.state) == ("ready", "waiting")
    assert "Применяется" in (await admin.get("/messages/triggers/ready/apply")).words
    assert (await admin.post("/messages/triggers/ready/apply", {"stop": "on"})).status == 303
    assert "Остановлено" in (await admin.get("/messages/triggers/ready/apply")).words


async def test_firings_say_why_and_one_is_read_step_by_step(site: Site) -> None:
    await open_shop(site.pool)
    admin, senior = site.as_("admin"), site.as_("senior_manager")
    await admin.post("/messages/new-trigger", sms_form(is_on="on"))
    async with site.pool.acquire() as conn, conn.transaction():
        now = datetime.now(UTC)
        id = await add_firing(conn, ACCOUNT, ("ready", 1), "1", applied("p"), source="apply", happened_at=now)
        steps = [
            {"rule": "ready", "verdict": "passed", "because": "cause", "facts": {"cause": "entered"}},
            {"rule": "ready", "verdict": "excluded", "because": "not_met_by", "facts": {"of": "price"}},
            {"rule": "ready", "verdict": "decided", "because": "not_met", "facts": {}},
        ]
        await conn.execute(
            "UPDATE firing SET state = 'skipped', reason = 'not_met', steps = $2 WHERE firing_id = $1",
            id,
            steps,
        )
    page = await senior.get("/messages/triggers")
    assert "сделка не подходит под условия" in page.page.by_id("firings").text
    assert "применён к сделкам этапа" in page.words
    [link] = [a for a in page.page.all("a") if (a.get("href") or "").startswith("/messages/firings/")]
    one = await senior.get(link["href"])
    assert "условие не выполнено" in one.words
    assert (await senior.get("/messages/firings?deal=2")).words.count("Срабатываний нет") == 1
    assert (await senior.get("/messages/firings?trigger=ready")).page.one("tbody").text.count("ready") == 1
    assert (await senior.get("/messages/firings/none")).status == 404


async def test_a_firing_says_what_became_of_its_text(site: Site) -> None:
    """As the page of applying a trigger promises."""
    await open_shop(site.pool)
    await site.as_("admin").post("/messages/new-trigger", sms_form(is_on="on"))
    async with site.pool.acquire() as conn, conn.transaction():
        now = datetime.now(UTC)
        id = await add_firing(conn, ACCOUNT, ("ready", 1), "1", applied("p"), source="apply", happened_at=now)
        step = {"rule": "ready", "verdict": "decided", "because": "queued"}
        steps = [
            {**step, "facts": {"cause": "entered", "cause_key": "apply:815e", "pipeline": "1", "stage": "11"}}
        ]
        await conn.execute(
            "UPDATE firing SET state = 'queued', reason = 'queued', steps = $2 WHERE firing_id = $1",
            id,
            steps,
        )
        await conn.execute(
            'INSERT INTO outbound_item (account_id, item_id, kind, state, reason, source, firing_id, ended_at, "order")'
            " VALUES ($1, 'i1', 'sms', 'succeeded', 'delivered', 'trigger', $2, now(), '{\"trigger\": \"ready\", \"version\": 1}')",
            ACCOUNT,
            id,
        )
    senior = site.as_("senior_manager")
    for path in ("/messages/triggers", "/messages/firings", f"/messages/firings/{id}"):
        words = (await senior.get(path)).words
        assert "SMS – получилось: доставлено" in words, path
    assert "перешла на этап" in words
    assert "apply:815e" not in words
    assert "этап: 11;" not in words + ";"
    assert "воронка: 1;" not in words + ";"
