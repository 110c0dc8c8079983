"""Asks "are you there?" by Telegram, and hears the answers: whoever asks, one worker at a time hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from gateway.admin.presence import chats
from gateway.admin.presence.chats import Pressed
from gateway.store.admin.accounts import NoSuchAccount, account
from gateway.store.admin.staff import staff_of
from gateway.store.presence import chats as rows
from gateway.store.presence.chats import AskedByBot
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language, Texts
from runtime.alerts.delivery import (
    AlertInTheClear,
    AlertLoginRefused,
    AlertNotSent,
    AlertRecipientRefused,
    AlertUnreachable,
)
from runtime.alerts.telegram import TelegramBot
from runtime.alerts.telegram_updates import TelegramUpdate, updates_of
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import LeaseLost, Leases
from runtime.database.pool import Conn
from runtime.loops import Loop
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)
_SETTINGS_WRONG = (AlertLoginRefused, AlertInTheClear)
"""Of the bot: only a person can change them."""


_EVERY_SECONDS = 2.0
_AGAIN_SECONDS = 5.0
_POLL_SECONDS = 25
"""So long Telegram keeps a question for messages open."""
_SEND_SECONDS = rows.CLAIM_LOST.total_seconds() / 2
_MOST_AT_ONCE = 20
_MOST_TURNS = 10
_PRESS = "presence:"
_START = "/start"
_LONGEST_CODE = 64


class PresenceBot:
    """bot: None = no bot is set up: nothing is asked and nothing heard. name: of the bot among bots; its token is secret."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        leases: Leases,
        bot: TelegramBot | None,
        name: str = "",
        *,
        poll_seconds: int = _POLL_SECONDS,
        again_seconds: float = _AGAIN_SECONDS,
    ) -> None:
        self._pool, self._leases, self._bot, self._name = pool, leases, bot, name
        self._poll_seconds, self._again_seconds = poll_seconds, again_seconds
        self._unsent, self._unheard = Trouble("presence-question"), Trouble("presence-answers")
        self.loop = Loop("presence-questions", self.ask, _EVERY_SECONDS)

    async def ask(self, now: datetime | None = None) -> None:
        """Send each open question to whoever has a chat."""
        if self._bot is None:
            return
        at = now or datetime.now(UTC)
        async with self._pool.acquire() as conn:
            await rows.ask_by_bot(conn, at)
        for _ in range(_MOST_TURNS):
            async with self._pool.acquire() as conn:
                claimed = await rows.claim_questions(conn, at, _MOST_AT_ONCE)
            if not claimed:
                return
            await asyncio.gather(*(self._send(self._bot, asked, at) for asked in claimed))

    async def _send(self, bot: TelegramBot, asked: AskedByBot, now: datetime) -> None:
        try:
            async with self._pool.acquire() as conn:
                body = await _question(conn, asked, now)
            async with asyncio.timeout(_SEND_SECONDS):
                await bot.ask("sendMessage", body, _SEND_SECONDS)
        except (AlertNotSent, TimeoutError, NoSuchAccount) as err:
            return await self._not_sent(asked, err, now)
        except DATABASE_ERRORS:
            raise
        except Exception as err:  # a mistake of ours must not end the process, nor cost others their question
            return await self._not_sent(asked, err, now)
        self._unsent.recovered()
        async with self._pool.acquire() as conn:
            await rows.question_was_sent(conn, asked)

    async def _not_sent(self, asked: AskedByBot, err: Exception, now: datetime) -> None:
        """Try it again later; give up what cannot be sent later either: another way to answer is still open."""
        why = err if isinstance(err, AlertNotSent) else AlertUnreachable(f"{type(err).__name__}: {err}")
        is_mistake = not isinstance(err, (AlertNotSent, TimeoutError, NoSuchAccount))
        self._unsent.failed(err, is_mistake=is_mistake, is_alarm=isinstance(err, _SETTINGS_WRONG))
        is_final = is_mistake or isinstance(err, (AlertRecipientRefused, *_SETTINGS_WRONG, NoSuchAccount))
        pause = timedelta(seconds=max(why.retry_after or 0.0, self._again_seconds))
        async with self._pool.acquire() as conn:
            await rows.question_was_not_sent(conn, asked, why, None if is_final else now + pause)

    async def run(self) -> None:
        """Hear answers until cancelled."""
        lease = self._leases.of(self._name, "telegram")
        while True:
            pause = self._again_seconds
            try:
                if self._bot is not None and await self._is_used():
                    async with lease:
                        await self._hear_while(self._bot, lease.check)
            except (AlertNotSent, LeaseLost, *DATABASE_ERRORS) as err:
                self._unheard.failed(err, is_alarm=isinstance(err, _SETTINGS_WRONG))
                pause = max(pause, getattr(err, "retry_after", None) or 0.0)
            except Exception as err:  # as above
                self._unheard.failed(err, is_mistake=True)
            await sleep_unless_cancelled(pause)

    async def _is_used(self) -> bool:
        async with self._pool.acquire() as conn:
            return await rows.are_chats_used(conn, datetime.now(UTC))

    async def _hear_while(self, bot: TelegramBot, check: Callable[[], None]) -> None:
        while await self._is_used():
            check()
            await self.hear(bot)

    async def hear(self, bot: TelegramBot, now: datetime | None = None) -> None:
        """Wait for what people send, and take it. now: None = when it comes. Raises AlertNotSent."""
        async with self._pool.acquire() as conn:
            begin = await rows.next_update(conn, self._name, now or datetime.now(UTC))
        body: dict[str, Any] = {
            "timeout": self._poll_seconds,
            "allowed_updates": ["message", "callback_query"],
        }
        offset = {} if begin is None else {"offset": begin}
        told = await bot.ask("getUpdates", body | offset, self._poll_seconds + _AGAIN_SECONDS * 2)
        self._unheard.recovered()
        for update in updates_of(told):
            reply = await self._take(update, now or datetime.now(UTC))
            if reply is not None:
                await _reply(bot, *reply)

    async def _take(self, update: TelegramUpdate, now: datetime) -> _Reply | None:
        """Return what is to be said, once for each update: that it was read is stored with what it did."""
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                if not await rows.take_update(conn, self._name, update.update_id, now):
                    return None
                return await _done(conn, update, now)
        except DATABASE_ERRORS:
            raise
        except Exception as err:  # a mistake of ours must not hold up what others send
            self._unheard.failed(err, is_mistake=True)
            async with self._pool.acquire() as conn:
                await rows.take_update(conn, self._name, update.update_id, now)
            return None


_Reply = tuple[str, Mapping[str, Any]]
"""Method and body."""


async def _question(conn: Conn, asked: AskedByBot, now: datetime) -> Mapping[str, Any]:
    """Raise NoSuchAccount."""
    of = await account(conn, asked.account_id)
    person = (await staff_of(conn, of.id)).by_id.get(asked.employee_id)
    texts = TEXTS[of.settings.language]
    seconds = max(1, round((asked.answer_by - now).total_seconds()))
    button = {"text": texts.say("bot.presence.button"), "callback_data": f"{_PRESS}{asked.button}"}
    text = texts.say(
        "bot.presence.question",
        name=person.name if person else asked.employee_id,
        seconds=seconds,
        account=of.name,
    )
    return {"chat_id": asked.chat_id, "text": text, "reply_markup": {"inline_keyboard": [[button]]}}


async def _done(conn: Conn, update: TelegramUpdate, now: datetime) -> _Reply | None:
    if update.press_id:
        return await _pressed(conn, update, now)
    command, _, code = update.text.strip().partition(" ")
    if not update.chat_id or command.partition("@")[0] != _START:
        return None
    return "sendMessage", {"chat_id": update.chat_id, "text": await _started(conn, update, code.strip(), now)}


async def _pressed(conn: Conn, update: TelegramUpdate, now: datetime) -> _Reply:
    found = await chats.press(conn, update.button.removeprefix(_PRESS), update.chat_id, now)
    texts = TEXTS[found.language] if found.language else _spoken(update)
    text = texts.say(f"bot.presence.{found.outcome.value}")
    is_worth_a_window = found.outcome is not Pressed.HERE
    return "answerCallbackQuery", {
        "callback_query_id": update.press_id,
        "text": text,
        "show_alert": is_worth_a_window,
    }


async def _started(conn: Conn, update: TelegramUpdate, code: str, now: datetime) -> str:
    texts = _spoken(update)
    if not code:
        return texts.say("bot.presence.chat", chat=update.chat_id)
    if not update.is_private:
        return texts.say("bot.presence.not_private")
    linked = await chats.link(conn, code, update.chat_id, now) if len(code) <= _LONGEST_CODE else None
    if linked is None:
        return texts.say("bot.presence.bad_code")
    return TEXTS[linked.language].say("bot.presence.linked", name=linked.name, account=linked.account)


def _spoken(update: TelegramUpdate) -> Texts:
    """Of the sender's program, where no account says it."""
    language: Language = DEFAULT_LANGUAGE if update.language.startswith("ru") or not update.language else "en"
    return TEXTS[language]


async def _reply(bot: TelegramBot, method: str, body: Mapping[str, Any]) -> None:
    """Say it once: what was done stands, whether or not the reply arrives."""
    try:
        await bot.ask(method, body, _SEND_SECONDS)
    except AlertNotSent as err:
        log.info("presence-reply-failed", code=err.code, error=str(err))
