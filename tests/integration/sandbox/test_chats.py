"""The CRM's own chats as the sandbox plays them, asked by the very client that we ask amoCRM's with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from crm.amocrm.chats.client import ChatChannel, CrmChats
from crm.amocrm.chats.errors import CrmChatForbidden, CrmChatNotThere, CrmChatRefused, CrmChatSilent
from crm.amocrm.chats.hooks import read_hook
from crm.amocrm.chats.links import ChatLinks
from crm.amocrm.chats.model import ChatPerson, CrmChatMessage
from crm.amocrm.chats.signing import is_genuine, signed_headers
from crm.amocrm.client import AmoClient
from crm.amocrm.transport import Transport
from crm.budget import Budget
from crm.lane import Lane
from crm.sandbox.chat_ids import AMOJO_ID, amojo_id_of
from crm.sandbox.control.chats import BOT_ID, CHANNEL_ID, SECRET
from crm.sandbox.sample_account import OPEN_STAGES, PIPELINE, SENIOR
from tests.fakes.tokens import FixedToken
from tests.integration.sandbox.client import Api

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
CLIENT = ChatPerson(id="c-1", name="Пётр", phone="+79150000077")
CHANNEL = ChatChannel(channel_id=CHANNEL_ID, secret=SECRET, amojo_id=AMOJO_ID, bot_id=BOT_ID)


def a_message(id: str = "m-1", **fields: Any) -> CrmChatMessage:
    told = {"id": id, "chat": "d-1", "at": AT, "text": "Здравствуйте", "client": CLIENT}
    return CrmChatMessage(**{**told, **fields})


def _utc_now() -> datetime:
    return datetime.now(UTC)


def chats_of(api: Api, channel: ChatChannel = CHANNEL, now: Callable[[], datetime] = _utc_now) -> CrmChats:
    return CrmChats(api.session, api.sandbox.url, channel, apart_seconds=0, now=now)


@pytest.fixture
async def chats(api: Api) -> CrmChats:
    await api.control("chats/channels", {})
    return chats_of(api)


async def shown(api: Api) -> list[str]:
    return [row["message"]["text"] for row in (await api.control("chats"))["messages"]]


async def a_client_with_a_deal(api: Api) -> int:
    contact = await api.make("contacts", name="Пётр")
    made = await api.make("leads", name="Чат", pipeline_id=PIPELINE, status_id=OPEN_STAGES[0])
    assert (
        await api.post(f"leads/{made}/link", [{"to_entity_id": contact, "to_entity_type": "contacts"}])
    ).status == 200
    return contact


def links_of(api: Api) -> ChatLinks:
    token = FixedToken(api.sandbox.url, api.token)
    return ChatLinks(AmoClient(Transport(api.session), token, Budget(1000)))


async def test_a_channel_is_connected_as_often_as_it_is_asked_for(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("WhatsApp")
    assert scope == await chats.connect("WhatsApp") == f"{CHANNEL_ID}_{AMOJO_ID}"
    await chats.disconnect()
    with pytest.raises(CrmChatNotThere):
        await chats.show(scope, a_message())


async def test_a_foreign_account_and_an_unknown_channel_are_not_connected(api: Api, chats: CrmChats) -> None:
    foreign = ChatChannel(channel_id=CHANNEL_ID, secret=SECRET, amojo_id="another", bot_id=BOT_ID)
    with pytest.raises(CrmChatRefused):
        await chats_of(api, foreign).connect("x")
    unknown = ChatChannel(channel_id="nobody", secret=SECRET, amojo_id=AMOJO_ID, bot_id=BOT_ID)
    with pytest.raises(CrmChatNotThere):
        await chats_of(api, unknown).connect("x")


async def test_requests_are_let_in_by_their_signature_only(api: Api, chats: CrmChats) -> None:
    wrong = ChatChannel(channel_id=CHANNEL_ID, secret="wrong", amojo_id=AMOJO_ID, bot_id=BOT_ID)
    with pytest.raises(CrmChatForbidden):
        await chats_of(api, wrong).connect("x")
    with pytest.raises(CrmChatForbidden):
        await chats_of(api, now=lambda: datetime.now(UTC) - timedelta(minutes=16)).connect("x")
    assert await chats_of(api, now=lambda: datetime.now(UTC) - timedelta(minutes=14)).connect("x")
    path, body = f"/v2/origin/custom/{CHANNEL_ID}/connect", b'{"account_id":"x"}'
    headers = signed_headers(SECRET, "POST", path, body, datetime.now(UTC))
    for name in headers:
        async with api.session.post(
            api.sandbox.url + path, data=body, headers={**headers, name: "spoilt"}
        ) as told:
            assert told.status == 403, name


async def test_a_message_is_taken_once(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("x")
    chat = await chats.chat(scope, "d-1", CLIENT)
    assert chat == await chats.chat(scope, "d-1", CLIENT)
    id = await chats.show(scope, a_message(is_silent=True))
    with pytest.raises(CrmChatRefused):
        await chats.show(scope, a_message(is_silent=True))
    found = await chats.find(scope, chat, "m-1")
    assert found is not None
    assert (found.id, found.text) == (id, "Здравствуйте")
    assert await chats.find(scope, chat, "m-2") is None
    assert await chats.find(scope, "unknown", "m-1") is None


async def test_an_old_message_is_found_behind_many(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("x")
    for number in range(60):
        await chats.show(scope, a_message(f"m-{number}", is_silent=True))
    chat = await chats.chat(scope, "d-1", CLIENT)
    assert await chats.find(scope, chat, "m-0") is not None


async def test_an_edit_changes_what_stands_there(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("x")
    await chats.show(scope, a_message(is_silent=True))
    await chats.edit(scope, a_message(text="[сообщение удалено]"))
    assert await shown(api) == ["[сообщение удалено]"]
    with pytest.raises(CrmChatRefused):
        await chats.edit(scope, a_message("m-2"))


async def test_a_chat_that_is_nobodys_gets_into_unsorted(api: Api, chats: CrmChats) -> None:
    """The twin: what a step that was left out brings."""
    scope = await chats.connect("x")
    before = len(await api.rows("unsorted"))
    await chats.show(scope, a_message())
    made = (await api.rows("unsorted"))[before:]
    assert [row["category"] for row in made] == ["chats"]
    await chats.show(scope, a_message("m-2", chat="d-2", is_silent=True))
    assert len(await api.rows("unsorted")) == before + 1


async def test_a_chat_bound_to_a_contact_with_a_deal_makes_no_twin(api: Api, chats: CrmChats) -> None:
    contact = await a_client_with_a_deal(api)
    scope = await chats.connect("x")
    chat = await chats.chat(scope, "d-1", CLIENT)
    for _ in range(2):
        await links_of(api).bind(str(contact), chat, Lane.EVENTS)
    before = len(await api.rows("unsorted"))
    await chats.show(scope, a_message())
    assert len(await api.rows("unsorted")) == before
    assert [row["contact_id"] for row in await api.rows("chat", chat_id=chat)] == [contact]


async def test_the_account_tells_who_is_who_in_the_chats(api: Api) -> None:
    links = links_of(api)
    assert await links.account_id(Lane.SYNC) == AMOJO_ID
    assert (await links.people(Lane.SYNC))[amojo_id_of(SENIOR)] == str(SENIOR)


async def test_statuses_are_told_of_what_was_written_in_the_card(api: Api, chats: CrmChats) -> None:
    async with a_hook_server() as hooks:
        await api.control("chats/channels", {"hook": hooks.url})
        scope = await chats.connect("x")
        await chats.chat(scope, "d-1", CLIENT)
        told = await api.control(
            "chats/answer", {"conversation": "d-1", "text": "Добрый день", "user": SENIOR}
        )
        again = await api.control("chats/answer", {"conversation": "d-1", "id": told["message_id"]})
    assert (told["status"], again["status"], again["message_id"]) == (200, 200, told["message_id"])
    (path, signature, body), second = hooks.told
    assert (path, body) == (f"/crm/chats/{scope}", second[2])
    assert is_genuine(SECRET, body, signature)
    hook = read_hook(body)
    assert hook is not None
    assert (hook.chat, hook.text, hook.sender) == ("d-1", "Добрый день", amojo_id_of(SENIOR))
    await chats.tell_status(scope, hook.id, "delivered")
    await chats.tell_status(scope, hook.id, "refused", "Клиент заблокировал")
    [row] = (await api.control("chats"))["messages"]
    assert row["statuses"] == [{"code": 1, "error": ""}, {"code": -1, "error": "Клиент заблокировал"}]
    with pytest.raises(CrmChatNotThere):
        await chats.tell_status(scope, "unknown", "read")


async def test_whoever_takes_the_integration_out_disconnects_its_channel(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("x")
    await api.control("chats/uninstall", {})
    with pytest.raises(CrmChatNotThere):
        await chats.show(scope, a_message())
    assert await chats.connect("x") == scope
    await chats.show(scope, a_message(is_silent=True))


async def test_an_answer_that_gets_lost_leaves_the_message_there(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("x")
    chat = await chats.chat(scope, "d-1", CLIENT)
    rule = {
        "match": {"method": "POST", "path": f"/v2/origin/custom/{scope}"},
        "nth": 1,
        "fault": "answer_lost",
    }
    await api.control("faults", {"rules": [rule]})
    with pytest.raises(CrmChatSilent):
        await chats.show(scope, a_message(is_silent=True))
    assert await chats.find(scope, chat, "m-1") is not None


async def test_nonsense_is_refused_and_breaks_nothing(api: Api, chats: CrmChats) -> None:
    scope = await chats.connect("x")
    path = f"/v2/origin/custom/{scope}"
    for body in (
        b"",
        b"[]",
        b"{}",
        b'{"event_type":"new_message"}',
        b'{"event_type":"x","payload":{"message":{"type":"text"}}}',
    ):
        headers = signed_headers(SECRET, "POST", path, body, datetime.now(UTC))
        async with api.session.post(api.sandbox.url + path, data=body, headers=headers) as answer:
            assert answer.status == 400, body
    await chats.show(scope, a_message(is_silent=True))


class _HookServer:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, bytes]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.told.append((request.path, request.headers["X-Signature"], await request.read()))
        return web.json_response({})


@asynccontextmanager
async def a_hook_server() -> AsyncIterator[_HookServer]:
    server, app = _HookServer(), web.Application()
    app.router.add_post("/crm/chats/{scope}", server.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/crm/chats/:scope_id"
    try:
        yield server
    finally:
        await runner.cleanup()
