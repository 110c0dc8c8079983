"""Messenger channels as people use them on the pages: connected, shared out, answered in. S2 rows 1-7, 10-15 and 18."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from crm.sandbox.seed import PIPELINE
from gateway.admin.users import UserOrder, add_user
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.users import users
from tests.e2e.features.at_pages import PASSWORD, Visitor, visiting
from tests.e2e.features.sales import STAGE, Sales, person, user
from tests.e2e.stack import ACCOUNT
from tests.fakes.channels.sandbox import client_message, tell
from tests.integration.web.html import Element
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH, ACCESS = "/setup/channels", "/setup/channels/access"
NUMBERS = (101, 102)
_COUNT = itertools.count(1)


@dataclass
class Messengers:
    """admin: at the pages."""

    sales: Sales
    admin: Visitor

    @contextlib.asynccontextmanager
    async def manager(self, number: int) -> AsyncIterator[Visitor]:
        async with visiting(self.admin.url, f"chat-{person(number)}") as visitor:
            yield visitor

    @contextlib.asynccontextmanager
    async def channels(self, *names: str) -> AsyncIterator[list[str]]:
        """Channels of this test, gone afterwards."""
        made = [await self.connect(name) for name in names]
        try:
            yield made
        finally:
            known = {one["id"] for one in (await self.sales.api("GET", "channels"))["items"]}
            for id in known & set(made):
                await self.sales.api("DELETE", f"channels/{id}?even_if_used=true", status=204)

    async def connect(self, name: str) -> str:
        """Connect a channel of the sandbox on its page, with deals made in the stage of the tests; its id."""
        page = (await self.admin.get("/setup/new-channel?kind=sandbox")).page
        sent = await self.admin.send(page, "/setup/new-channel", name=name)
        assert sent.status == 303, sent.words
        id = sent.location.rpartition("/")[2]
        await self.save(id, name=name, place=f"{PIPELINE}:{STAGE}", is_on="1")
        return id

    async def save(self, id: str, **fields: Any) -> None:
        page = (await self.admin.get(f"{PATH}/{id}")).page
        sent = await self.admin.send(page, f"{PATH}/{id}", **{**dict(_chosen(page)), **fields})
        assert sent.status == 303, sent.words

    async def change_access(self, rights: dict[tuple[str, int], str], **stars: str) -> None:
        """rights: by channel and manager; what stands in the table is sent along, as browsers do."""
        page = (await self.admin.get(ACCESS)).page
        fields: list[tuple[str, str]] = [("csrf", page.all("input", name="csrf")[0]["value"])]
        for cell in page.all("input", name="cell"):
            channel, _, employee = cell["value"].partition(" ")
            was = _was(page, cell["value"])
            may = next((m for (c, n), m in rights.items() if (c, person(n)) == (channel, employee)), was)
            fields += [("cell", cell["value"]), ("was", was), ("may", may)]
        fields += [(f"star:{person}", channel) for person, channel in stars.items()]
        sent = await self.admin.post(ACCESS, *fields)
        assert sent.status == 303, sent.words

    async def write(self, channel: str, chat: str, text: str, **more: str) -> None:
        """As a client does in the messenger; the worker has made a dialogue of it."""
        address = (await self.sales.api("GET", f"channels/{channel}/address"))["url"]
        told = client_message(f"m{next(_COUNT)}", chat=chat, text=text, **more)

        async def is_taken() -> bool:
            """The door knows a new channel after a moment; messengers say it again."""
            return await tell(self.sales.stack.http, address, [told]) == [200]

        await until(is_taken, "the message is taken", seconds=20)

        async def is_there() -> bool:
            found: bool = await self.sales.stack.pool.fetchval(
                "SELECT EXISTS (SELECT 1 FROM chat_message WHERE channel_id = $1 AND outside_id = $2)",
                channel,
                told["id"],
            )
            return found

        await until(is_there, "the message stands in its dialogue", seconds=40)

    async def dialogue(self, channel: str, chat: str) -> str:
        id: int = await self.sales.stack.pool.fetchval(
            "SELECT dialogue_id FROM dialogue WHERE channel_id = $1 AND chat_id = $2", channel, chat
        )
        return f"/dialogs/{id}"


def _chosen(page: Element) -> list[tuple[str, str]]:
    """Return what a browser sends of radios and lists as they stand."""
    radios = [
        (one["name"], one["value"]) for one in page.all("input", type="radio") if "checked" in one.attributes
    ]
    lists = [
        (one["name"], option["value"])
        for one in page.all("select")
        for option in one.all("option")
        if "selected" in option.attributes
    ]
    return [*radios, *lists]


def _was(page: Element, cell: str) -> str:
    row = next(td for td in page.all("td") if any(i["value"] == cell for i in td.all("input", name="cell")))
    return row["data-may"]


@pytest_asyncio.fixture(loop_scope="session")
async def messengers(sales: Sales) -> AsyncIterator[Messengers]:
    await sales.stack.until_answers(f"{sales.stack.url}/sign-in")
    async with sales.stack.pool.acquire() as conn:
        known = {one.login for one in await users(conn)}
        if "chat-admin" not in known:
            await add_user(conn, UserOrder(login="chat-admin", name="Ольга", role="admin", password=PASSWORD))
            for number in NUMBERS:
                bound = Bindings(account_id=ACCOUNT, employee=person(number))
                name = f"chat-{person(number)}"
                await add_user(
                    conn, UserOrder(login=name, name=name, role="manager", bound=bound, password=PASSWORD)
                )
    async with visiting(sales.stack.url, "chat-admin") as admin:
        yield Messengers(sales, admin)


async def test_s2_01_to_s2_03_settings_are_saved_refreshed_from_the_crm_and_removed(
    messengers: Messengers,
) -> None:
    async with messengers.channels("s2-settings") as (id,):
        page = (await messengers.admin.get(f"{PATH}/{id}")).page
        (form,) = [one for one in page.all("form") if one.get("data-guard")]
        assert len(page.by_id(form["data-guard"]).all("button")) == 3  # stay, leave, save and leave
        (made,) = (
            await messengers.sales.crm("POST", "leads/pipelines", [
                {"name": "s2-wholesale", "sort": 900, "is_main": False, "is_unsorted_on": True,
                 "_embedded": {"statuses": [{"name": "s2-first", "sort": 10}]}}
            ])
        )["_embedded"]["pipelines"]  # fmt: skip
        asked = await messengers.admin.send((await messengers.admin.get(ACCESS)).page, f"{ACCESS}/refresh")
        assert asked.status == 303

        async def is_offered() -> bool:
            return any(
                option["value"].startswith(f"{made['id']}:")
                for option in (await messengers.admin.get(f"{PATH}/{id}")).page.by_id("place").all("option")
            )

        await until(is_offered, "the new pipeline can be chosen", seconds=40)
        await messengers.write(id, "s2-settings", "Hello", phone="+79038882001")
        asked = await messengers.admin.get(f"{PATH}/{id}/remove")
        assert "диалогов 1, сообщений 1" in asked.words
        assert (await messengers.admin.send(asked.page, f"{PATH}/{id}/remove")).status == 303
        assert (await messengers.admin.get(f"{PATH}/{id}")).status == 404


async def test_case_40_whom_the_crm_has_hired_since_is_responsible_only_after_a_refresh(
    messengers: Messengers,
) -> None:
    sales = messengers.sales
    async with messengers.channels("s2-hired") as (id,):
        hired = (await sales.act("add_user", name="Новый Сотрудник", email="hired@example.com"))["id"]
        offered = {"name": "Новый Сотрудник", "crm_user_id": str(hired), "extensions": ["7199"]}
        await sales.api("PUT", "employees/hired", body=offered)
        try:
            page = (await messengers.admin.get(ACCESS)).page
            sent = await messengers.admin.send(page, f"{ACCESS}/add", employee="hired")
            assert sent.status == 303
            await sales.api("PUT", f"channels/{id}/rights", body={"rights": {"hired": "send"}})
            token = await sales.token_of("hired", "manager", employee="hired")
            await messengers.write(id, "s2-hired", "Hello", phone="+79038882301")
            dialogue = (await messengers.dialogue(id, "s2-hired")).rpartition("/")[2]

            async def answers(key: str) -> str | None:
                status, told = await sales.as_somebody(
                    "POST", f"dialogues/{dialogue}/messages", token, body={"key": key, "text": key}
                )
                assert status == 201, told
                owner: str | None = (await sales.api("GET", f"dialogues/{dialogue}"))["owner"]
                return owner

            await until(lambda: _may_write(sales, token), "the token is known", seconds=40)
            assert await answers("before") is None  # it went out; the CRM is not known to have them
            asked = await messengers.admin.send(
                (await messengers.admin.get(ACCESS)).page, f"{ACCESS}/refresh"
            )
            assert asked.status == 303
            known = "SELECT EXISTS (SELECT FROM crm_user WHERE user_id = $1)"
            await until(lambda: sales.stack.pool.fetchval(known, str(hired)), "the user is known", seconds=40)

            async def is_owner() -> bool:
                return await answers(f"after-{next(_COUNT)}") == "hired"

            await until(is_owner, "their answer makes them the owner", seconds=20)
            await sales.stack.until_idle()
            (contact,) = await sales.stack.rows("contact", phone="79038882301")
            (deal,) = [d for d in await sales.stack.rows("deal") if contact["id"] in d["contacts"]]
            await sales.until_owned({deal["id"]: hired})
        finally:
            await sales.api("DELETE", "employees/hired?even_if_used=true", status=204)


async def _may_write(sales: Sales, token: str) -> bool:
    return (await sales.as_somebody("GET", "dialogues", token))[0] == 200


async def test_s2_04_to_s2_07_ticked_channels_make_deals_and_who_answers_first_owns_them(
    messengers: Messengers,
) -> None:
    async with messengers.channels("s2-retail", "s2-unticked") as (retail, other):
        await messengers.save(retail, name="s2-shop", is_on="1")
        listed = await messengers.admin.get(PATH)
        assert "s2-shop Песочница" in listed.words
        await messengers.admin.send(listed.page, f"{PATH}/{other}/switch")
        await messengers.admin.send(
            (await messengers.admin.get(ACCESS)).page, f"{ACCESS}/everybody", channel=retail, do="send"
        )
        await messengers.write(retail, "s2-ticked", "Hello", phone="+79038882101")
        await messengers.write(other, "s2-silent", "Hello", phone="+79038882102")
        await messengers.sales.stack.until_idle()
        (contact,) = await messengers.sales.stack.rows("contact", phone="79038882101")
        (deal,) = [d for d in await messengers.sales.stack.rows("deal") if contact["id"] in d["contacts"]]
        assert (deal["pipeline_id"], deal["status_id"]) == (PIPELINE, STAGE)
        assert await messengers.sales.stack.rows("contact", phone="79038882102") == []
        path = await messengers.dialogue(retail, "s2-ticked")
        async with messengers.manager(101) as first, messengers.manager(102) as second:
            page = (await first.get(path)).page
            assert (await first.send(page, path, text="Good day")).status == 303
            late = await second.send((await second.get(path)).page, path, text="Hello")
            assert (late.status, "Всё равно отправить?" in late.words) == (409, True)
        await messengers.sales.until_owned({deal["id"]: user(101)})
        await messengers.sales.until_owned({contact["id"]: user(101)}, "contact")


async def test_s2_10_what_follows_after_closing_is_chosen_only_where_a_template_hands_out(
    messengers: Messengers,
) -> None:
    async with messengers.channels("s2-after") as (id,):
        page = (await messengers.admin.get(f"{PATH}/{id}")).page
        beside = page.one("div", cls="cm-only-template")
        inside = beside.all("input", name="after_closing")
        assert [one["value"] for one in inside] == ["last_closed", "new_deal"]
        assert len(page.all("input", name="after_closing")) == 2
        refused = await messengers.admin.send(page, f"{PATH}/{id}", name="s2-after", owner="template")
        assert (refused.status, "Выберите шаблон" in refused.words) == (422, True)


async def test_s2_11_to_s2_13_access_is_given_cell_by_cell_or_to_all_with_one_default_channel(
    messengers: Messengers,
) -> None:
    async with messengers.channels("s2-one", "s2-two") as (one, two):
        admin = messengers.admin
        await messengers.write(one, "s2-access", "Hello", phone="+79038882201")
        path = await messengers.dialogue(one, "s2-access")
        async with messengers.manager(101) as manager:
            assert (await manager.get(path)).status == 404
            await admin.send((await admin.get(ACCESS)).page, f"{ACCESS}/add", employee=person(101))
            assert "вы только читаете" in (await manager.get(path)).words  # whoever is added reads
            await messengers.change_access({(one, 101): "send", (two, 101): "send"}, **{person(101): two})
            assert (await manager.get(path)).page.all("form", cls="cm-dialog-form")
            assert _stars(await admin.get(ACCESS), 101) == [two]
            await messengers.change_access({}, **{person(101): one})
            assert _stars(await admin.get(ACCESS), 101) == [one]  # choosing another clears the first
            await messengers.change_access({(one, 101): "none"})
            assert _stars(await admin.get(ACCESS), 101) == [two]  # the only one that is left
            assert (await manager.get(path)).status == 404
            await admin.send((await admin.get(ACCESS)).page, f"{ACCESS}/everybody", channel="*", do="read")
            assert (await manager.get(path)).status == 200
            cleared = await admin.get(f"{ACCESS}/clear")
            assert (await admin.send(cleared.page, f"{ACCESS}/everybody")).status == 303
            assert (await manager.get(path)).status == 404


def _stars(answer: Any, number: int) -> list[str]:
    stars = answer.page.all("input", name=f"star:{person(number)}")
    return [star["value"] for star in stars if "checked" in star.attributes]


async def test_s2_14_to_s2_15_each_sees_their_own_and_nobodys_and_an_observer_sees_all(
    messengers: Messengers,
) -> None:
    async with messengers.channels("s2-own") as (id,):
        admin = messengers.admin
        await admin.send((await admin.get(ACCESS)).page, f"{ACCESS}/everybody", channel=id, do="send")
        await messengers.write(id, "s2-own", "Hello", phone="+79038882301")
        path = await messengers.dialogue(id, "s2-own")
        async with messengers.manager(101) as first, messengers.manager(102) as second:
            assert [(await one.get(path)).status for one in (first, second)] == [
                200,
                200,
            ]  # it is nobody's yet
            assert (await first.send((await first.get(path)).page, path, text="Good day")).status == 303
            assert (await second.get(path)).status == 200  # everybody sees all
            await _see(admin, "own")
            assert [(await one.get(path)).status for one in (first, second)] == [200, 404]
            assert (await second.get(f"/dialogs?channel={id}")).page.all("a", cls="cm-dialogs-row") == []
            await _see(admin, "own", person(102))
            observed = await second.get(path)
            assert (observed.status, "Вы наблюдатель" in observed.words) == (200, True)
        await _see(admin, "all")


async def _see(admin: Visitor, visibility: str, *observers: str) -> None:
    page = (await admin.get(ACCESS)).page
    fields = [("csrf", page.all("input", name="csrf")[0]["value"]), ("visibility", visibility)]
    sent = await admin.post(f"{ACCESS}/visibility", *fields, *(("observer", one) for one in observers))
    assert sent.status == 303, sent.words


async def test_s2_18_of_a_client_in_two_channels_each_sees_what_is_open_to_them(
    messengers: Messengers,
) -> None:
    async with messengers.channels("s2-left", "s2-right") as (one, two):
        admin = messengers.admin
        for number in NUMBERS:
            await admin.send((await admin.get(ACCESS)).page, f"{ACCESS}/add", employee=person(number))
        await messengers.change_access({(two, 101): "none", (one, 102): "none"})
        for channel, text in ((one, "Left"), (two, "Right")):
            await messengers.write(channel, "s2-both", text, phone="+79038882401")
        await messengers.sales.stack.until_idle()
        (contact,) = await messengers.sales.stack.rows("contact", phone="79038882401")
        deals = [d for d in await messengers.sales.stack.rows("deal") if contact["id"] in d["contacts"]]
        assert len(deals) == 1
        paths = [await messengers.dialogue(channel, "s2-both") for channel in (one, two)]
        async with messengers.manager(101) as first, messengers.manager(102) as second:
            assert [(await first.get(path)).status for path in paths] == [200, 404]
            assert [(await second.get(path)).status for path in paths] == [404, 200]
            assert "Right" not in (await first.get("/dialogs")).words
