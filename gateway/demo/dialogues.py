"""What the demo shows of messengers: two channels of the sandbox, in which clients have written and people have answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import orjson

from gateway.admin.channels.access import share_many
from gateway.demo.data import ACCOUNT, EXTENSIONS, SECRET
from gateway.store.channels.channels import add_channel, saved_channels
from gateway.store.channels.dialogues import Dialogue, dialogue
from gateway.store.channels.listing import DialogueFilter, listed_dialogues
from gateway.store.channels.outgoing import add_outgoing, claim_outgoing, put_back
from routing.dialogues.access import ChannelRight, SeenDialogues
from routing.dialogues.rules import ChannelRules
from sms.channels.model import AuthorKind, PartKind, PartTold
from sms.channels.port import MessengerChannel

MAIN, OTHER = "demo-retail", "demo-service"
_NAMES = {MAIN: "WhatsApp, розница", OTHER: "Telegram, сервис"}
_WORKED_SECONDS = 30
_HELD = timedelta(hours=12)
_WAITING_CHAT = "7005"


async def prepare_channels(pool: asyncpg.Pool) -> None:
    """Connect them at the first start: everybody writes in the one, and reads the other, which the senior manager answers."""
    async with pool.acquire() as conn, conn.transaction():
        known = {saved.id for saved in await saved_channels(conn, ACCOUNT)}
        people = [f"manager{extension}" for extension in EXTENSIONS]
        rules = ChannelRules(authors={one: one for one in people})
        for id, name in _NAMES.items():
            if id in known:
                continue
            channel = MessengerChannel(account_id=ACCOUNT, id=id, name=name, kind="sandbox")
            await add_channel(conn, channel, rules, secret=SECRET)
            rights: dict[str, ChannelRight | None] = dict.fromkeys(people, "send" if id == MAIN else "read")
            await share_many(conn, ACCOUNT, {id: {**rights, "senior100": "send"}}, {})


async def tell_dialogues(session: aiohttp.ClientSession, pool: asyncpg.Pool, url: str, now: datetime) -> None:
    """Tell what was written today through the door of each channel; the worker makes dialogues and deals of it."""
    for channel, told in ((MAIN, _retail(now)), (OTHER, _service(now)), (MAIN, _afterwards(now))):
        async with session.post(f"{url}/channels/{channel}/{SECRET}", json={"updates": told}) as response:
            response.raise_for_status()
    found = await _dialogue_of(pool, _WAITING_CHAT)
    if found is not None:
        await _leave_waiting(pool, found)


def things_to_try(url: str) -> str:
    """Return lines to paste, each as it stands."""
    chat = {"id": "try", "name": "Вера Новикова", "phone": "+79005550199"}
    asked = _said("try-1", chat, "Добрый день! Есть ли кухня на заказ?", None)
    answer = _said("try-2", chat, "Добрый день! Да, замер бесплатный.", None, by="manager105")
    told = orjson.dumps({"updates": [asked, answer]}).decode()
    return f"""  a client writes: a deal appears; the employee 105 answers first, on the phone, and becomes responsible for it
    curl -s {url}/channels/{MAIN}/{SECRET} -d '{told}'"""


def _said(
    id: str, chat: Mapping[str, str], text: str, at: datetime | None, *, by: str = "", **more: Any
) -> dict[str, Any]:
    """by: the employee of ours who typed it on the phone, "" = the client."""
    return {
        "told": "message",
        "id": id,
        "chat": dict(chat),
        "direction": "out" if by else "in",
        "author": {"kind": "phone", "id": by} if by else {"kind": "client"},
        "parts": [{"kind": "text", "text": text}],
        **({"at": at.isoformat()} if at else {}),
        **more,
    }


def _retail(now: datetime) -> list[dict[str, Any]]:
    def ago(minutes: int) -> datetime:
        return now - timedelta(minutes=minutes)

    vera = {"id": "7001", "name": "Наталья Климова", "phone": "+79005550131"}
    rustam = {"id": "7002", "name": "Рустам Гайнуллин", "phone": "+79005550132"}
    form = {"id": "7003", "name": "ООО «Форма»", "phone": "+79005550133"}
    gone = {"id": "7004", "name": "Игорь", "phone": "+79005550134"}
    waits = {"id": _WAITING_CHAT, "name": "Мария Белова", "phone": "+79005550135"}
    photo = [{"kind": "image", "text": "Вот наша кухня", "file": {"name": "kitchen.jpg"}}, {"kind": "voice"}]
    return [
        _said("r1", vera, "Здравствуйте! Сколько стоит угловая кухня 3 на 2 метра?", ago(200)),
        _said("r2", vera, "Добрый день! От 180 тысяч, зависит от фасадов.", ago(195), by="manager102"),
        {**_said("r3", vera, "", ago(190)), "parts": photo},
        _said("r4", vera, "А столешница входит?", ago(12), quoted_id="r2", quoted_text="От 180 тысяч"),
        _said("r5", rustam, "Замер завтра в силе?", ago(90)),
        _said("r6", form, "Пришлите счёт на 12 шкафов", ago(65)),
        _said("r7", form, "Отправила на почту.", ago(60), by="manager104"),
        _said("r8", gone, "Больше не пишите", ago(50)),
        _said("r9", gone, "Хорошо, до свидания", ago(45), by="manager102"),
        _said("r10", waits, "Можно перенести доставку на пятницу?", ago(20)),
    ]


def _service(now: datetime) -> list[dict[str, Any]]:
    client = {"id": "8001", "name": "Пётр", "username": "petr_kitchen"}
    return [
        _said("s1", client, "Петля на дверце сломалась, что делать?", now - timedelta(minutes=30)),
        _said("s2", client, "Второй раз за месяц!", now - timedelta(minutes=29)),
    ]


def _afterwards(now: datetime) -> list[dict[str, Any]]:
    """One message was edited, one taken back, one read, one refused; that client has blocked us."""
    edit = {"id": "e5", "at": (now - timedelta(minutes=88)).isoformat()}
    rustam = {"id": "7002", "name": "Рустам Гайнуллин", "phone": "+79005550132"}
    return [
        {**_said("r5", rustam, "Замер в четверг в силе?", now - timedelta(minutes=90)), "edit": edit},
        _said("r11", rustam, "Ой, это не вам", now - timedelta(minutes=80)),
        {"told": "deleted", "ids": ["r11"]},
        {"told": "status", "id": "r2", "status": "read"},
        {"told": "status", "id": "r7", "status": "delivered"},
        {"told": "status", "id": "r9", "status": "refused", "reason": "blocked"},
        {"told": "chat", "chat": {"id": "7004"}, "can_write": False},
    ]


async def _dialogue_of(pool: asyncpg.Pool, chat_id: str) -> Dialogue | None:
    """Return it once the worker has made it, None where that takes too long."""
    for _ in range(_WORKED_SECONDS * 2):
        async with pool.acquire() as conn, conn.transaction():
            wanted = DialogueFilter(channel_id=MAIN)
            rows: Sequence[Any] = await listed_dialogues(conn, ACCOUNT, SeenDialogues(None, None), wanted, 50)
            for row in rows:
                if row["chat_id"] == chat_id:
                    return await dialogue(conn, ACCOUNT, row["dialogue_id"])
        await asyncio.sleep(0.5)
    return None


async def _leave_waiting(pool: asyncpg.Pool, of: Dialogue) -> None:
    """Have one answer wait, as when the messenger asks for patience."""
    now = datetime.now(UTC)
    async with pool.acquire() as conn, conn.transaction():
        added = await add_outgoing(
            conn,
            of,
            own_key="demo-waits",
            part=PartTold(kind=PartKind.TEXT, text="Да, перенесли на пятницу."),
            author_kind=AuthorKind.EMPLOYEE,
            author_name="",
            employee_id="manager103",
            quoted_id="",
            now=now,
        )
        claimed = await claim_outgoing(conn, of.channel_id, now) if added else None
        if claimed is not None:
            await put_back(conn, claimed, now + _HELD)
