"""The list of dialogues: what each of them is known by, what was said last, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.channels.listing import last_messages, listed_dialogues
from gateway.store.channels.messages import ChatMessage
from gateway.store.channels.reading import unread_in
from gateway.web.dialogs.parts import in_one_line
from gateway.web.dialogs.query import DialogsQuery, dialogue_address, list_address
from gateway.web.dialogs.whose import reader_of
from gateway.web.frame import AnyPageCall
from gateway.web.words.words import Words
from routing.dialogues.access import Onlooker, is_nobodys, seen_in
from routing.staff import Employee
from runtime.database.pool import Conn
from sms.channels.model import MessageStatus

_ROWS = 30
_LONGEST_SAID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueLine:
    """owner: in words, "" = nobody. by: who wrote last, of ours. is_refused: what we wrote last did not go out."""

    id: int
    href: str
    client: str
    channel: str
    icon: str
    at: datetime
    said: str
    by: str
    is_refused: bool
    unread: int
    owner: str
    is_own: bool
    is_current: bool


def channel_icon(saved: SavedChannel | None) -> str:
    """Return the sign of the messenger, where it is one that people know by it."""
    kind = saved.channel.kind if saved else ""
    vendor = saved.channel.text("transport") if saved and kind == "wazzup" else kind
    if "telegram" in vendor or vendor == "tgapi":
        return "brand-telegram"
    return "brand-whatsapp" if vendor.startswith(("whatsapp", "wapi")) else "message-circle"


def client_of(row: asyncpg.Record, words: Words) -> str:
    """Return by what the client is known: the name, else the number or the name in the messenger."""
    name = words.text(row["name"] or "").strip()
    username = f"@{row['username']}" if row["username"] else ""
    return name or words.phone(row["number"]) or username or words.texts.say("dialogs.nameless")


def responsible(who: Onlooker, row: asyncpg.Record) -> str:
    """Return whose the dialogue is, "" = nobody's: also where its owner cannot look after it, as the lists count it."""
    return "" if is_nobodys(who.owners, row["channel_id"], row["owner"]) else row["owner"]


async def list_values(
    call: AnyPageCall, conn: Conn, who: Onlooker, query: DialogsQuery, current: int | None
) -> dict[str, Any]:
    """Return what the list is drawn from."""
    reader = reader_of(call)
    wanted = query.filter(reader.id, who.employee_id)
    rows = await listed_dialogues(conn, call.account.id, seen_in(who), wanted, _ROWS + 1)
    channels = {saved.id: saved for saved in await saved_channels(conn, call.account.id)}
    lines = await _lines(call, conn, who, rows[:_ROWS], channels, query, current)
    last = rows[_ROWS - 1] if len(rows) > _ROWS else None
    older = {"before_at": last["latest"].isoformat(), "before_id": last["dialogue_id"]} if last else {}
    seen = seen_in(who).channels
    named = [(s.id, s.name) for s in channels.values() if seen is None or s.id in seen]
    return {
        "lines": lines,
        "older": list_address(call, query, **older) if older else "",
        "newest": list_address(call, query) if query.before_at else "",
        "channels": named,
        "channel_names": dict(named),
        "is_filtered": any(query.kept.values()),
        "q": query,
        "current": current,
        "chips": _chips(call, query),
        "no_channel": _why_nothing(call, who, channels, named),
        "list_href": call.here(
            f"/dialogs/{current}" if current else "/dialogs", **query.kept, **query.place, part="list"
        ),
    }


def _chips(call: AnyPageCall, query: DialogsQuery) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this one)."""
    names = (None, "unread", "mine", "nobody") if call.who.bound.employee else (None, "unread", "nobody")
    return [
        (
            call.texts.say(f"dialogs.only.{name or 'all'}"),
            list_address(call, query, only=name),
            query.only == name,
        )
        for name in names
    ]


def _why_nothing(
    call: AnyPageCall,
    who: Onlooker,
    channels: Mapping[str, SavedChannel],
    named: Sequence[tuple[str, str]],
) -> str:
    """Return why there can be no dialogue for this person, as the end of a sentence's key; "" = there can be some."""
    if not channels:
        return "connect" if call.may("admin") else "none"
    if named:
        return ""
    if who.is_gone:
        return "gone"
    return "no_right" if call.who.bound.employee else "no_employee"


async def _lines(
    call: AnyPageCall,
    conn: Conn,
    who: Onlooker,
    rows: Sequence[asyncpg.Record],
    channels: Mapping[str, SavedChannel],
    query: DialogsQuery,
    current: int | None,
) -> list[DialogueLine]:
    ids = [row["dialogue_id"] for row in rows]
    last = await last_messages(conn, call.account.id, ids)
    unread = await unread_in(conn, call.account.id, reader_of(call).id, ids)
    return [
        _line(
            call,
            who,
            row,
            channels.get(row["channel_id"]),
            last.get(row["dialogue_id"]),
            query,
            unread,
            current,
        )
        for row in rows
    ]


def _line(
    call: AnyPageCall,
    who: Onlooker,
    row: asyncpg.Record,
    saved: SavedChannel | None,
    last: ChatMessage | None,
    query: DialogsQuery,
    unread: Mapping[int, int],
    current: int | None,
) -> DialogueLine:
    staff = call.services.configuration.now.staff[call.account.id].by_id
    owner, id = responsible(who, row), row["dialogue_id"]
    is_ours = last is not None and last.direction == "out"
    said = in_one_line(last.parts, call.words) if last else ""
    if last is not None and last.deleted_at:
        said = call.texts.say("dialogs.deleted_line")
    return DialogueLine(
        id=id,
        href=dialogue_address(call, query, id) + "#end",
        client=client_of(row, call.words),
        channel=saved.name if saved else "",
        icon=channel_icon(saved),
        at=row["latest"],
        said=said[:_LONGEST_SAID] or call.texts.say("dialogs.no_text"),
        by=_author(last, staff) if is_ours and last else "",
        is_refused=is_ours and last is not None and last.status is MessageStatus.REFUSED,
        unread=0 if id == current else unread.get(id, 0),
        owner=staff[owner].name if owner in staff else owner,
        is_own=owner != "" and owner == call.who.bound.employee,
        is_current=id == current,
    )


def _author(last: ChatMessage, staff: Mapping[str, Employee]) -> str:
    known = staff.get(last.employee_id or "")
    return known.name if known else last.author_name
