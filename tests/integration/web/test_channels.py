"""Messenger channels on the pages: connected, their rules, taken away with what goes along, and who reads and writes in which."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import replace_staff
from gateway.store.channels.access import default_channels, rights_in_channels
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.crm_accounts.exchanges import report
from routing.texts.catalogue import Language
from sms.channels.kinds import CHANNEL_KINDS
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Answer, Site
from tests.integration.web.catalogues import read_catalogues
from tests.integration.web.chatting import connect, every_message
from tests.integration.web.test_dialogs import BORIS
from tests.waiting import until

PATH = "/setup/channels"
ACCESS = f"{PATH}/access"


@pytest.fixture
async def shop(site: Site) -> Site:
    async with site.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, BORIS])
    await read_catalogues(site.pool)
    return site


async def rights(site: Site) -> dict[str, dict[str, Any]]:
    async with site.pool.acquire() as conn:
        return dict(await rights_in_channels(conn, ACCOUNT))


async def _channels(site: Site) -> list[SavedChannel]:
    async with site.pool.acquire() as conn:
        return await saved_channels(conn, ACCOUNT)


async def defaults(site: Site) -> dict[str, str]:
    async with site.pool.acquire() as conn:
        return await default_channels(conn, ACCOUNT)


def fields_of(answer: Answer, **changed: Any) -> dict[str, Any]:
    """What the form of one channel sends as it stands, with what is changed in it."""
    form = next(one for one in answer.page.all("form") if one.all("input", name="key_name"))
    sent: dict[str, Any] = {}
    for field in form.walk():
        name = field.get("name")
        if not name or name == "csrf" or field.tag == "button":
            continue
        if field.get("type") in ("checkbox", "radio") and "checked" not in field.attributes:
            continue
        chosen = [one for one in field.all("option") if "selected" in one.attributes]
        value = (chosen[0].get("value") if chosen else "") if field.tag == "select" else field.get("value")
        sent.setdefault(name, []).append(value or "")
    return {**sent, **changed}


async def test_a_channel_is_connected_by_its_kind_and_its_keys_are_not_shown_again(shop: Site) -> None:
    admin = shop.as_("admin")
    assert "Каналов ещё нет" in (await admin.get(PATH)).words
    for kind in CHANNEL_KINDS:
        assert (await admin.get(f"/setup/new-channel?kind={kind}")).status == 200
    form = {"kind": "telegram", "name": "Telegram", "key_name": "token", "key": "12:secret-of-the-bot"}
    added = await admin.post("/setup/new-channel", form)
    assert added.status == 303
    page = await admin.get(added.location)
    assert "secret-of-the-bot" not in page.text
    assert "Задан" in page.words
    again = await admin.post("/setup/new-channel", form)
    assert (again.status, "Такой канал уже есть" in again.words) == (422, True)
    nameless = await admin.post("/setup/new-channel", {**form, "name": " "})
    assert (nameless.status, "от 1 до 60 знаков" in nameless.words) == (422, True)


async def test_rules_of_a_channel_are_saved_and_what_the_form_does_not_show_stays(shop: Site) -> None:
    await connect(shop.pool, "c1", "Retail", {}, base_url="http://127.0.0.1:1")
    admin, path = shop.as_("admin"), f"{PATH}/c1"
    changes = {
        "name": "Опт", "place": "1:12", "employees": ["anna", "boris"], "author": ["7", ""], "author_of": ["boris", ""],
        "eight_to_seven": "no",
    }  # fmt: skip
    answer = await admin.post(path, fields_of(await admin.get(path), **changes))
    assert answer.status == 303
    async with shop.pool.acquire() as conn:
        (saved,) = await saved_channels(conn, ACCOUNT)
    rules = saved.rules
    assert (saved.name, rules.pipeline_id, rules.stage_id, rules.employees) == (
        "Опт",
        "1",
        "12",
        ("anna", "boris"),
    )
    assert (rules.authors, rules.eight_to_seven, saved.is_on) == ({"7": "boris"}, False, True)
    assert saved.channel.settings["base_url"] == "http://127.0.0.1:1"
    unchanged = await admin.post(path, fields_of(await admin.get(path)))
    assert unchanged.status == 303
    async with shop.pool.acquire() as conn:
        assert (await saved_channels(conn, ACCOUNT))[0].rules == rules
    bare = await admin.post(path, fields_of(await admin.get(path), owner="template"))
    assert (bare.status, "Выберите шаблон" in bare.words) == (422, True)
    ticked = await admin.post(f"{path}/switch", {"is_on": ""})
    assert ticked.location == PATH
    assert "не участвует" in (await admin.get(PATH)).words


async def test_two_who_change_one_channel_both_have_theirs_and_of_one_field_the_second_is_asked(
    shop: Site,
) -> None:
    await connect(shop.pool, "c1", "Retail", {})
    admin, path = shop.as_("admin"), f"{PATH}/c1"
    opened = await admin.get(path)
    first = {"name": "Бот", "copies": "day", "employees": ["anna"]}
    assert (await admin.post(path, fields_of(opened, **first))).status == 303
    second = {"copies": "none", "keeps_deleted_text": "1"}
    asked = await admin.post(path, fields_of(opened, **second))
    assert asked.status == 409
    assert "Тем временем сохранено: «day»" in asked.words
    (unchanged,) = await _channels(shop)
    assert (unchanged.name, unchanged.rules.copies, unchanged.rules.keeps_deleted_text) == (
        "Бот",
        "day",
        False,
    )
    del second["copies"]
    assert (await admin.post(path, fields_of(opened, **second))).status == 303
    (both,) = await _channels(shop)
    assert (both.name, both.rules.copies, both.rules.keeps_deleted_text) == ("Бот", "day", True)
    assert both.rules.employees == ("anna",)
    assert (await admin.post(path, fields_of(asked))).status == 303  # whoever was asked saves again
    (last,) = await _channels(shop)
    assert (last.name, last.rules.copies) == ("Бот", "none")


async def test_what_a_rule_cannot_be_is_marked_at_its_field_and_what_was_typed_stays(shop: Site) -> None:
    await connect(shop.pool, "c1", "Retail", {})
    await shop.pool.execute("UPDATE crm_user SET is_active = false WHERE user_id = '12'")
    stages = [
        {"id": id, "name": id, "sort": n, "is_closed": id == "142", "is_unsorted": id == "10"}
        for n, id in enumerate(("10", "11", "142"))
    ]
    await shop.pool.execute("UPDATE crm_pipeline SET stages = $1", stages)
    admin, path = shop.as_("admin"), f"{PATH}/c1"
    page = (await admin.get(path)).page
    assert [o["value"] for o in page.by_id("place").all("option")] == ["", "1:", "1:11"]
    assert [box["value"] for box in page.all("input", name="employees")] == ["anna", "boss"]
    before = await shop.pool.fetchrow("SELECT * FROM channel")
    for changes, field, said in (
        ({"author": ["7", "7"], "author_of": ["anna", "boss"]}, "author-2", "указан дважды"),
        ({"author": ["7", "8"], "author_of": ["anna", ""]}, "author-of-2", "Выберите, чей это 8"),
        ({"author": ["7", " "], "author_of": ["anna", "boss"]}, "author-2", "Впишите идентификатор"),
        ({"author": ["7", "8"], "author_of": ["anna", "boris"]}, "author-of-2", "работу передать нельзя"),
        ({"place": "1:142"}, "place", "закрывает сделки"),
        ({"place": "garbage"}, "place", "нет воронки garbage"),
        ({"employees": ["boris"]}, "employees", "работу передать нельзя"),
    ):
        sent = fields_of(await admin.get(path), name="Typed", **changes)
        refused = await admin.post(path, sent)
        assert (refused.status, said in refused.page.by_id(f"{field}-error").text) == (422, True), changes
        assert refused.page.by_id(field)["aria-invalid"] == "true"
        assert refused.page.by_id("name")["value"] == "Typed"
        for name, typed in changes.items():
            if name == "author":
                assert [f["value"] for f in refused.page.all("input", name=name)][:2] == [
                    t.strip() for t in typed
                ]
    assert await shop.pool.fetchrow("SELECT * FROM channel") == before


async def test_before_a_channel_is_removed_it_is_said_what_goes_with_it(shop: Site) -> None:
    await connect(shop.pool, "c1", "Retail", {"anna": "send", "boris": "none"})
    await every_message(shop.pool)
    admin = shop.as_("admin")
    asked = await admin.get(f"{PATH}/c1/remove")
    assert "диалогов 1, сообщений 6" in asked.words
    assert "есть у сотрудников: 1." in asked.words
    assert (await admin.post(f"{PATH}/c1/remove")).status == 409
    assert (await admin.post(f"{PATH}/c1/remove", {"even_if_used": "1"})).status == 303
    assert (await admin.get(f"{PATH}/c1")).status == 404
    assert await shop.pool.fetchval("SELECT count(*) FROM dialogue") == 0


async def test_a_channel_is_removed_while_a_message_of_it_is_worked_on(shop: Site) -> None:
    """Neither waits for the other for ever, whoever came first."""
    await connect(shop.pool, "c1", "Retail", {})
    await every_message(shop.pool)
    async with shop.pool.acquire() as worker, worker.transaction():
        await worker.execute("SELECT FROM dialogue FOR UPDATE")
        removal = asyncio.create_task(shop.as_("admin").post(f"{PATH}/c1/remove", {"even_if_used": "1"}))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

        async def is_waiting() -> bool:
            return bool(await shop.pool.fetchval(waits))

        await until(is_waiting, "the removal waits for the dialogue")
        await worker.execute(
            "INSERT INTO chat_message (account_id, channel_id, dialogue_id, direction, author_kind, at, arrived_at, parts, status)"
            " SELECT account_id, channel_id, dialogue_id, 'in', 'client', now(), now(), '[]', 'delivered' FROM dialogue"
        )
    assert (await removal).status == 303


async def test_rights_are_changed_cell_by_cell_and_each_person_has_one_default_channel(shop: Site) -> None:
    for id in ("c1", "c2"):
        await connect(shop.pool, id, id.upper(), {"anna": "read", "boris": "none"})
    admin = shop.as_("admin")
    cells = ["c1 anna", "c2 anna", "c1 boris", "c2 boris"]
    form = {"cell": cells, "was": ["read", "read", "none", "none"], "may": ["send", "send", "none", "read"]}
    assert (await admin.post(ACCESS, {**form, "star:anna": "c2"})).status == 303
    assert await rights(shop) == {"anna": {"c1": "send", "c2": "send"}, "boris": {"c1": "none", "c2": "read"}}
    assert await defaults(shop) == {"anna": "c2"}
    both = {"cell": cells, "was": form["may"], "may": form["may"]}
    await admin.post(ACCESS, {**both, "star:anna": "c1"})
    assert await defaults(shop) == {"anna": "c1"}
    refused = await admin.post(ACCESS, {**both, "star:boris": "c2"})
    assert refused.status == 422  # who only reads writes from nowhere
    await admin.post(ACCESS, {"cell": "c1 anna", "was": "send", "may": "none"})
    assert await defaults(shop) == {"anna": "c2"}  # the only one that is left
    await shop.pool.execute("UPDATE channel_access SET may = 'send' WHERE employee_id = 'boris'")
    page = (await admin.get(ACCESS)).page
    lacking = [
        row.text for row in page.one("table", cls="cm-access").all("tr") if "hidden" not in _lacks(row)
    ]
    assert len(lacking) == 1
    assert "Борис" in lacking[0]


def _lacks(row: Any) -> dict[str, str]:
    found = [one for one in row.all("span") if "data-lacks" in one.attributes]
    return found[0].attributes if found else {"hidden": ""}


async def test_whose_rights_keep_them_from_being_removed_leads_to_where_rights_are(shop: Site) -> None:
    admin, page = shop.as_("admin"), "/setup/employees/boris/remove"
    assert ACCESS not in (await admin.get(page)).text
    await connect(shop.pool, "c1", "Retail", {"boris": "send"})
    asked = await admin.get(page)
    assert "Retail" in asked.words
    assert [a for a in asked.page.all("a") if (a.get("href") or "").startswith(ACCESS)] != []


async def test_people_are_added_and_taken_out_one_by_one_and_all_at_once(shop: Site) -> None:
    for id in ("c1", "c2"):
        await connect(shop.pool, id, id.upper(), {})
    admin = shop.as_("admin")
    assert "Ни у кого ещё нет доступа" in (await admin.get(ACCESS)).words
    await admin.post(f"{ACCESS}/add", {"employee": "anna"})
    assert await rights(shop) == {"anna": {"c1": "read", "c2": "read"}}
    assert (await admin.post(f"{ACCESS}/add", {"employee": "nobody"})).status == 422
    await admin.post(ACCESS, {"cell": "c1 anna", "was": "read", "may": "send"})
    await admin.post(f"{ACCESS}/everybody", {"channel": "c1", "do": "read"})
    assert await rights(shop) == {
        "anna": {"c1": "send", "c2": "read"}, "boris": {"c1": "read"}, "boss": {"c1": "read"},
    }  # fmt: skip
    await admin.post(f"{ACCESS}/everybody", {"channel": "*", "do": "send"})
    assert all(set(of.values()) == {"send"} and len(of) == 2 for of in (await rights(shop)).values())
    asked = await admin.get(f"{ACCESS}/clear?channel=c1")
    assert "Доступ потеряют: 3" in asked.words
    assert (await admin.get(f"{ACCESS}/clear?channel=other")).status == 404
    await admin.post(f"{ACCESS}/everybody", {"channel": "c1", "do": "out"})
    assert {tuple(of) for of in (await rights(shop)).values()} == {("c2",)}
    assert "Доступ потеряют: 3, каналов: 2" in (await admin.get(f"{ACCESS}/clear")).words
    await admin.post(f"{ACCESS}/everybody", {"channel": "*", "do": "out"})
    assert await rights(shop) == {}


async def test_ready_roles_and_who_sees_dialogues_of_others(shop: Site) -> None:
    await connect(shop.pool, "c1", "C1", {"anna": "read"})
    admin = shop.as_("admin")

    async def policy() -> tuple[str, tuple[str, ...]]:
        async with shop.pool.acquire() as conn:
            of = (await account_of(conn, ACCOUNT)).settings.dialogues
        return of.visibility, of.observers

    await admin.post(f"{ACCESS}/preset", {"preset": "quality boris"})
    assert ((await rights(shop))["boris"], await policy()) == ({"c1": "read"}, ("all", ("boris",)))
    await admin.post(f"{ACCESS}/preset", {"preset": "manager boris"})
    assert ((await rights(shop))["boris"], await policy()) == ({"c1": "send"}, ("all", ()))
    await admin.post(f"{ACCESS}/visibility", {"visibility": "own", "observer": ["anna"]})
    assert await policy() == ("own", ("anna",))
    assert "наблюдатель" in (await admin.get(ACCESS)).page.one("table", cls="cm-access").text


@pytest.mark.parametrize(
    ("language", "said"), [("ru", "Нужно целое число цифрами"), ("en", "It takes a whole number in digits")]
)
async def test_a_wrong_setting_of_a_channel_is_named_and_marked(
    shop: Site, language: Language, said: str
) -> None:
    form = {
        "kind": "telegram",
        "name": "Bot",
        "key_name": ["token"],
        "key": ["1:hush"],
        "setting_name": ["business_connection", "poll_seconds"],
        "setting": ["b1", "often"],
    }
    refused = await shop.as_("admin", language=language).post("/setup/new-channel", form)
    field = refused.page.by_id("setting-poll_seconds")
    assert (refused.status, field["aria-invalid"], field["value"]) == (422, "true", "often")
    assert said in refused.page.by_id("setting-poll_seconds-error").text
    assert "often" in refused.page.by_id("setting-poll_seconds-error").text
    assert refused.page.by_id("setting-business_connection")["value"] == "b1"
    assert "hush" not in refused.text


async def test_a_channel_without_its_key_is_not_said_to_be_connected(shop: Site) -> None:
    admin = shop.as_("admin")
    added = await admin.post("/setup/new-channel", {"kind": "telegram", "name": "Bot"})
    page = await admin.get(added.location, Cookie=added.headers["Set-Cookie"].split(";")[0])
    assert "ещё не работает: впишите недостающее" in page.words


async def test_whoever_is_deactivated_is_not_offered_and_it_is_said_when_people_were_read(shop: Site) -> None:
    await connect(shop.pool, "c1", "Retail", {"anna": "send"})
    admin = shop.as_("admin")
    offered = (await admin.get(ACCESS)).page.by_id("add-employee").all("option")
    assert [one["value"] for one in offered] == ["boris", "boss"]
    await shop.pool.execute("UPDATE crm_user SET is_active = false WHERE user_id = '12'")
    page = (await admin.get(ACCESS)).page
    assert [one["value"] for one in page.by_id("add-employee").all("option")] == ["boss"]
    assert "обновлены" in page.by_id("read-at").text
    await admin.post(f"{ACCESS}/everybody", {"channel": "*", "do": "read"})
    assert set(await rights(shop)) == {"anna", "boss"}


async def test_a_template_that_is_gone_is_told_in_the_list_and_on_the_channels_page(shop: Site) -> None:
    await connect(shop.pool, "c1", "Retail", {})
    admin = shop.as_("admin")
    assert "больше нет" not in (await admin.get(f"{PATH}/c1")).words
    await shop.pool.execute(
        """UPDATE channel SET rules = rules || '{"owner": "template", "template": "Night"}' WHERE channel_id = 'c1'"""
    )
    one = await admin.get(f"{PATH}/c1")
    told = one.page.by_id("template-gone")
    assert "«Night» больше нет" in told.text
    assert [link["href"] for link in told.all("a")] == ["/distribution/templates"]
    assert "шаблона больше нет" in (await admin.get(PATH)).words


async def _said_after(site: Site, path: str) -> str:
    """What the toast says after a form."""
    admin = site.as_("admin")
    asked = await admin.post(path)
    cookie = asked.headers["Set-Cookie"].split(";")[0]
    return (await admin.get(asked.headers["Location"], Cookie=cookie)).words


@pytest.mark.parametrize("path", [f"{ACCESS}/refresh", "/matrix/refresh"])
async def test_asked_for_new_data_while_the_crm_is_away_says_that_the_former_stay(
    shop: Site, path: str
) -> None:
    assert "Данные amoCRM обновляются" in await _said_after(shop, path)
    async with shop.pool.acquire() as conn:
        await report(conn, ACCOUNT, "crm", {"token": {"warning": "expired"}})
    assert "прежние данные остаются" in await _said_after(shop, path)


@pytest.mark.parametrize("kind", [kind for kind, of in CHANNEL_KINDS.items() if of.choices])
async def test_a_setting_of_few_values_is_chosen_in_words_and_stored_as_the_api_knows_it(
    shop: Site, kind: str
) -> None:
    page = (await shop.as_("admin").get(f"/setup/new-channel?kind={kind}")).page
    for name, known in CHANNEL_KINDS[kind].choices.items():
        offered = page.by_id(f"setting-{name}").all("option")
        assert [one["value"] for one in offered] == ["", *known]
        assert not {one.text for one in offered} & set(known)


async def test_a_chosen_value_is_kept_shown_and_may_be_taken_back(shop: Site) -> None:
    admin = shop.as_("admin")
    keys = {"kind": "max", "name": "MAX", "key_name": "token", "key": "secret-of-the-bot"}
    settings = {"setting_name": ["receives", "poll_seconds"], "setting": ["poll", "20"]}
    path = (await admin.post("/setup/new-channel", {**keys, **settings})).location
    page = await admin.get(path)
    chosen = [o for o in page.page.by_id("setting-receives").all("option") if "selected" in o.attributes]
    assert [one["value"] for one in chosen] == ["poll"]
    async with shop.pool.acquire() as conn:
        [saved] = await saved_channels(conn, ACCOUNT)
    assert saved.channel.settings["receives"] == "poll"
    values = ["" if v == "poll" else v for v in fields_of(page)["setting"]]
    assert (await admin.post(path, fields_of(page, setting=values))).status == 303
    async with shop.pool.acquire() as conn:
        [saved] = await saved_channels(conn, ACCOUNT)
    assert ("receives" in saved.channel.settings, saved.channel.settings["poll_seconds"]) == (False, "20")
