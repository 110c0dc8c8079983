"""Dialogues with clients in messengers, their messages, and a message that is sent into one."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from pydantic import Field

from gateway.admin.channels.shown_files import shown_parts
from gateway.admin.channels.writing import send_message
from gateway.admin.input_words import MESSAGE_KEY, is_one_line
from gateway.admin.refused import InputRefused
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route, not_found
from gateway.api.pages import next_page, page_after
from gateway.channels.accepting import KeyOfAnother, NoSuchDialogue
from gateway.channels.limits import onlooker_of
from gateway.channels.written import WrittenFile, WrittenMessage
from gateway.http.body import API_FILE_BODY
from gateway.store.admin.roles import may_act_as
from gateway.store.channels.dialogues import ids_of_effects
from gateway.store.channels.files import FilesOfMessages, files_of
from gateway.store.channels.listing import DialogueFilter, listed_dialogues, listed_messages, quoted_messages
from gateway.store.channels.messages import ChatMessage
from routing.client import Ref
from routing.dialogues.access import Onlooker, seen_in
from runtime.database.pool import Conn
from sms.channels.model import MessageStatus

_MOST_DIALOGUE_ID = 2**62


class DialogueView(Answer):
    """number: null where the messenger tells none. contact, deal: ids in the CRM, null as long as there are none there.
    place_reason: why this deal. owner: employee. can_write: false: the client has blocked us."""

    id: int
    channel: str
    kind: str
    number: str | None
    name: str
    username: str
    contact: str | None
    deal: str | None
    place_reason: str
    owner: str | None
    owner_how: str
    can_write: bool
    last_message_at: datetime | None
    last_in_at: datetime | None


class MessageView(Answer):
    """dialogue: in which it stands. parts: kind, text, file and the like, as the messenger told them; of a file `id`, under which it is given out, and `state`: `waiting`, `kept`, or
    `refused` with its reason. author: kind of who wrote it; employee: who that is here.
    revision: how often it was edited. quoted_text: of the message that it answers, "" where that is not known or was taken back.
    status: of ours."""

    id: int
    dialogue: int
    direction: str
    author: str
    author_name: str
    employee: str | None
    at: datetime
    parts: list[dict[str, Any]]
    revision: int
    edited_at: datetime | None
    deleted_at: datetime | None
    quoted_text: str
    album: str
    status: MessageStatus
    reason: str
    words: str
    key: str | None


class DialoguesQuery(Body):
    channel: str | None = Field(default=None, max_length=64)
    after: Annotated[str, Field(max_length=200, description="`next` of the page before")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class MessagesQuery(Body):
    after: Annotated[str, Field(max_length=20, description="`next` of the page before")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class NewFile(Body):
    """content: its bytes as base64, 10 MiB at most; the messenger may take less, see the reference of messenger channels."""

    name: str = Field(min_length=1, max_length=200)
    content: str = Field(max_length=14 * 2**20, json_schema_extra={"contentEncoding": "base64"})


class NewMessage(Body):
    """key: made by whoever sends, the same when it is sent again. employee: in whose name, of a token that is nobody's. is_anyway:
    though somebody else answered first. text, file: both go as one message where the messenger has captions, else as two, in
    this order, and the first is told."""

    key: str = Field(pattern=MESSAGE_KEY)
    text: str = Field(default="", max_length=20_000)
    file: NewFile | None = None
    employee: str | None = Field(default=None, max_length=64)
    is_anyway: bool = False


async def list_dialogues(call: ApiCall[DialoguesQuery, None]) -> Items[DialogueView]:
    q = call.query
    before = page_after(q.after) if q.after else None
    async with call.services.pool.acquire() as conn:
        who = await reader(conn, call)
        wanted = DialogueFilter(
            channel_id=q.channel, before=(before[0], _number(before[1], "after")) if before else None
        )
        rows = await listed_dialogues(conn, call.account.id, seen_in(who), wanted, q.limit)
        made = await _made(conn, call, rows)
    last = rows[-1] if len(rows) == q.limit else None
    return Items[DialogueView](
        items=[_dialogue_view(row, made) for row in rows],
        next=next_page(last["latest"], str(last["dialogue_id"])) if last else None,
    )


async def show_dialogue(call: ApiCall) -> DialogueView:
    async with call.services.pool.acquire() as conn:
        row = await seen_dialogue(conn, call)
        return _dialogue_view(row, await _made(conn, call, [row]))


async def list_messages(call: ApiCall[MessagesQuery, None]) -> Items[MessageView]:
    q = call.query
    async with call.services.pool.acquire() as conn:
        row = await seen_dialogue(conn, call)
        before = _number(q.after, "after") if q.after else None
        found = await listed_messages(conn, call.account.id, row["dialogue_id"], before=before, limit=q.limit)
        files = await files_of(conn, call.account.id, [m.message_id for m in found])
        quoted = await quoted_messages(conn, call.account.id, found)
    return Items[MessageView](
        items=[
            message_view(message, files, quoted.get((message.dialogue_id, message.quoted_id)))
            for message in found
        ],
        next=str(found[-1].message_id) if len(found) == q.limit else None,
    )


async def write_message(call: ApiCall[NoQuery, NewMessage]) -> MessageView:
    told = call.body
    written = WrittenMessage(
        key=told.key,
        dialogue_id=_dialogue_id(call),
        text=told.text,
        file=written_file(told.file),
        is_anyway=told.is_anyway,
    )
    async with call.services.pool.acquire() as conn:
        who = await writer(conn, call, told.employee)
        try:
            with one_message_a_key():
                sent = await send_message(conn, call.services.client_job, call.account, who, written)
        except NoSuchDialogue as err:
            raise not_found("dialogue", call.path["dialogue"]) from err
        files = await files_of(conn, call.account.id, [sent.message_id])
    return message_view(sent, files)


@contextmanager
def one_message_a_key() -> Iterator[None]:
    """Answer 409 where the key is that of another message."""
    try:
        yield
    except KeyOfAnother as err:
        title = "The key is that of another message."
        raise ApiError(409, "key-of-another-message", title, field="key") from err


async def writer(conn: Conn, call: AnyCall, employee: str | None) -> Onlooker:
    """Return who writes. Raise InputRefused where that is nobody."""
    who = await onlooker(conn, call, employee)
    if (
        who.employee_id
        and who.employee_id not in call.services.configuration.now.staff[call.account.id].by_id
    ):
        raise InputRefused(
            "employee", f"there is no employee '{who.employee_id}'", "name one of this account"
        )
    if not who.employee_id:
        raise InputRefused("employee", "it is not said in whose name", "name an employee")
    return who


def written_file(told: NewFile | None) -> WrittenFile | None:
    if told is None:
        return None
    if not is_one_line(told.name):
        raise InputRefused("file.name", "it holds more than one line", "write the file's name")
    try:
        return WrittenFile(name=told.name, content=b64decode(told.content, validate=True))
    except binascii.Error as err:
        raise InputRefused("file.content", "it is not base64", "send the file's bytes as base64") from err


async def onlooker(conn: Conn, call: AnyCall, employee: str | None = None) -> Onlooker:
    """Whoever is an employee acts as that one only; a token that is nobody's sees all where its role may."""
    bound = call.who.bound.employee
    if bound is not None and employee not in (None, bound):
        raise InputRefused("employee", "you write in your own name only", "leave it out")
    sees_all = may_act_as(call.who.role, "senior_manager")
    if employee is not None and bound is None and not sees_all:
        remedy = "take a token of a senior manager, or one that is bound to an employee"
        raise InputRefused("employee", "with this token nobody writes in the name of others", remedy)
    staff = call.services.configuration.now.staff[call.account.id]
    return await onlooker_of(conn, call.account, staff, bound or employee, sees_all=sees_all)


async def reader(conn: Conn, call: AnyCall) -> Onlooker:
    """Return who reads. Raise ApiError where the CRM has switched them off: an empty list would not say why."""
    who = await onlooker(conn, call)
    if who.is_gone:
        title = "The CRM user of this token's employee is switched off: dialogues are closed."
        raise ApiError(403, "forbidden", title, detail="Switch the CRM user on, or take another token.")
    return who


async def seen_dialogue(conn: Conn, call: AnyCall) -> asyncpg.Record:
    who = await reader(conn, call)
    wanted = DialogueFilter(dialogue_id=_dialogue_id(call))
    rows = await listed_dialogues(conn, call.account.id, seen_in(who), wanted, 1)
    if not rows:
        raise not_found("dialogue", call.path["dialogue"])
    return rows[0]


def _dialogue_id(call: AnyCall) -> int:
    text = call.path["dialogue"]
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    if not is_number or int(text) > _MOST_DIALOGUE_ID:
        raise not_found("dialogue", text)
    return int(text)


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InputRefused(field, "is no page of this list", "pass on what `next` said")
    return int(text)


async def _made(conn: Conn, call: AnyCall, rows: Sequence[asyncpg.Record]) -> Mapping[str, Ref]:
    """Return by effect what was made in the CRM for these dialogues."""
    refs = [Ref.model_validate(row[name]) for row in rows for name in ("contact", "deal") if row[name]]
    return await ids_of_effects(conn, call.account.id, refs)


def _dialogue_view(row: asyncpg.Record, made: Mapping[str, Ref]) -> DialogueView:
    told = (Ref.model_validate(row[name]) if row[name] else None for name in ("contact", "deal"))
    contact, deal = (made.get(ref.effect or "", ref).id if ref else None for ref in told)
    same = ("channel_id", "kind", "number", "name", "username", "place_reason", "owner", "owner_how")
    fields = {name.removesuffix("_id"): row[name] for name in same}
    return DialogueView(
        id=row["dialogue_id"],
        contact=contact,
        deal=deal,
        can_write=row["can_write"],
        last_message_at=row["last_message_at"],
        last_in_at=row["last_in_at"],
        **fields,
    )


def message_view(
    message: ChatMessage, files: FilesOfMessages, quoted: ChatMessage | None = None
) -> MessageView:
    """quoted: the message that it answers, where that stands in the same dialogue."""
    known = " ".join(part.text for part in quoted.parts) if quoted else ""
    return MessageView(
        id=message.message_id,
        dialogue=message.dialogue_id,
        direction=message.direction,
        author=message.author_kind,
        author_name=message.author_name,
        employee=message.employee_id,
        at=message.at,
        parts=shown_parts(message, files),
        revision=message.revision,
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
        quoted_text="" if quoted and quoted.deleted_at else message.quoted_text or known,
        album=message.album_id,
        status=message.status,
        reason=message.reason,
        words=message.words,
        key=message.own_key,
    )


_ALL = "/v1/accounts/{account}/dialogues"
_ONE = _ALL + "/{dialogue}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_dialogues,
        summary="Dialogues in messengers that you may see, the latest first",
        role="manager",
    ),
    Route(method="GET", path=_ONE, handler=show_dialogue, summary="One dialogue", role="manager"),
    Route(
        method="GET",
        path=_ONE + "/messages",
        handler=list_messages,
        summary="Messages of a dialogue, the latest first",
        role="manager",
    ),
    Route(
        method="POST",
        path=_ONE + "/messages",
        handler=write_message,
        summary="Send a message into a dialogue",
        most_body=API_FILE_BODY,
        description="The same `key` is the same message. 409 with the reason where it must not go out, or somebody else answered"
        " first.",
        role="manager",
        status=201,
        errors=(409,),
    ),
)
