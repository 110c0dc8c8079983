"""Employees' Telegram chats: linked by a code that is used once; the bot asks there, and a press of its button answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from gateway.admin.presence.people import PresenceOff, QuestionOver, answer_question, person_now
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.settings import Settings
from gateway.store.admin.accounts import Account, NoSuchAccount, account
from gateway.store.admin.audit import Actor, AuditChange, acting, record
from gateway.store.presence import chats as rows
from routing.texts.catalogue import Language
from runtime.database.pool import Conn
from runtime.tokens import hash_of, new_secret

_CODE_LASTS = timedelta(minutes=15)
_BY_BOT = Actor(name="telegram")


class TelegramUnset(InputRefused):
    """No Telegram bot is set up: give its token with CALLMATRIX_TELEGRAM_TOKEN."""

    code = "telegram-unset"

    def __init__(self) -> None:
        super().__init__(
            "telegram",
            "no Telegram bot is set up",
            "whoever looks after the installation gives its token with CALLMATRIX_TELEGRAM_TOKEN",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLink:
    """code: shown when it is made and never again; "" = none was. code_until: None = none is open."""

    is_linked: bool = False
    linked_at: datetime | None = None
    code: str = ""
    code_until: datetime | None = None


class Pressed(Enum):
    """What came of the press of a button."""

    HERE = "here"
    LATE = "late"
    OVER = "over"
    NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True, kw_only=True)
class PressedButton:
    """language: None where no account is known."""

    outcome: Pressed
    language: Language | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedPerson:
    name: str
    account: str
    language: Language


async def chat_link(conn: Conn, of: Account, employee_id: str, now: datetime) -> ChatLink:
    """Raise NothingOfThatName."""
    await person_now(conn, of, employee_id)
    return _said(await rows.chat_of(conn, of.id, employee_id), now)


async def new_code(conn: Conn, settings: Settings, of: Account, employee_id: str, now: datetime) -> ChatLink:
    """Return with it the code that the employee sends to the bot. Raise TelegramUnset, NothingOfThatName; nothing is stored
    then."""
    if not settings.telegram_token:
        raise TelegramUnset
    code = new_secret()
    async with conn.transaction():
        await person_now(conn, of, employee_id)
        await rows.set_code(conn, of.id, employee_id, hash_of(code), now + _CODE_LASTS)
        await record(conn, _change(of.id, employee_id, "telegram code made"))
        link = _said(await rows.chat_of(conn, of.id, employee_id), now)
    return ChatLink(is_linked=link.is_linked, linked_at=link.linked_at, code=code, code_until=link.code_until)


async def unlink(conn: Conn, of: Account, employee_id: str) -> None:
    """Nothing is asked there any more, and an open code is void. Raise NothingOfThatName."""
    async with conn.transaction():
        await person_now(conn, of, employee_id)
        if await rows.chat_of(conn, of.id, employee_id) is not None:
            await rows.unlink(conn, of.id, employee_id)
            await record(conn, _change(of.id, employee_id, "telegram unlinked"))


async def link(conn: Conn, code: str, chat_id: str, now: datetime) -> LinkedPerson | None:
    """Link who was given this code to the chat that it came from. None: it is unknown, was used, or is too old."""
    found = await rows.link_by_code(conn, hash_of(code), chat_id, now)
    if found is None:
        return None
    of = await account(conn, found[0])
    person = await person_now(conn, of, found[1])
    with acting(_BY_BOT):
        await record(conn, _change(of.id, found[1], "telegram linked"))
    return LinkedPerson(name=person.employee.name, account=of.name, language=of.settings.language)


async def press(conn: Conn, button: str, chat_id: str, now: datetime) -> PressedButton:
    """Take "I am here" from the chat where it was asked. Pressed twice it is pressed once: the second press finds the
    question settled."""
    asked = await rows.asked_with(conn, button)
    if asked is None:
        return PressedButton(outcome=Pressed.OVER)
    chat = await rows.chat_of(conn, asked.account_id, asked.employee_id)
    if chat is None or chat_id != asked.chat_id or chat_id != chat.chat_id:
        return PressedButton(outcome=Pressed.NOT_YOURS)
    try:
        of = await account(conn, asked.account_id)
        with acting(_BY_BOT):
            await answer_question(conn, of, asked.employee_id, now, is_here=True, asked_at=asked.asked_at)
    except (QuestionOver, PresenceOff, NothingOfThatName, NoSuchAccount):
        return PressedButton(outcome=Pressed.OVER)
    return PressedButton(
        outcome=Pressed.LATE if now >= asked.answer_by else Pressed.HERE, language=of.settings.language
    )


def _said(chat: rows.PresenceChat | None, now: datetime) -> ChatLink:
    if chat is None:
        return ChatLink()
    is_open = chat.code_until is not None and chat.code_until > now
    return ChatLink(
        is_linked=chat.chat_id is not None,
        linked_at=chat.linked_at,
        code_until=chat.code_until if is_open else None,
    )


def _change(account_id: str, employee_id: str, action: str) -> AuditChange:
    return AuditChange(what="presence", object=employee_id, action=action, account_id=account_id)
