"""Clients write as it was planned, and ring at the same moment; what their messenger tells of it comes twice, late and in disorder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.chaos.channels.doubles import SandboxDouble, TelegramDouble, TellingMessenger, WazzupDouble
from tests.chaos.channels.plan import PlannedChat, PlannedMessage
from tests.chaos.channels.records import ChannelName, MessengerTruth, WrittenByClient
from tests.chaos.outgoing.teller import Teller
from tests.e2e.stack import AUTH

CLOCKS: dict[ChannelName, timedelta] = {
    "sandbox": timedelta(hours=-2),
    "telegram": timedelta(0),
    "wazzup": timedelta(0),
}
"""The sandbox's is two hours behind: its messages belong to an hour that is over, whose note is changed with each of them."""
_RINGS_SECONDS = 0.6


class Clients:
    def __init__(
        self,
        truth: MessengerTruth,
        sandbox: SandboxDouble,
        telegram: TelegramDouble,
        wazzup: WazzupDouble,
        teller: Teller,
    ) -> None:
        self._truth, self._teller = truth, teller
        self._telling: dict[str, TellingMessenger] = {"sandbox": sandbox, "wazzup": wazzup}
        self._sandbox, self._telegram = sandbox, telegram
        self._number = 0
        self._began, self._began_at = time.monotonic(), datetime.now(UTC)

    async def play(self, chats: Sequence[PlannedChat]) -> None:
        self._began, self._began_at = time.monotonic(), datetime.now(UTC)
        async with asyncio.TaskGroup() as group:
            for chat in chats:
                group.create_task(self._chat(chat))
                if chat.calls_at is not None:
                    group.create_task(self._rings(chat))

    async def _chat(self, chat: PlannedChat) -> None:
        async with asyncio.TaskGroup() as group:
            for together in _together(chat):
                group.create_task(self._written(chat, together))

    async def _written(self, chat: PlannedChat, together: Sequence[PlannedMessage]) -> None:
        """What is told in one request."""
        await self._until(together[0].at)
        written = [self.write(chat, message) for message in together]
        self._truth.written += written
        first = [replace(one) for one in written]
        if chat.channel == "telegram":
            await self._until(together[0].at + together[0].told_after)
            self._telegram.tells("message", first[0], together[0].album)
            await self._changed(chat, together[0], written[0])
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._first_told(chat, together, first))
            for message, one in zip(together, written, strict=True):
                group.create_task(self._changed(chat, message, one))

    def write(
        self, chat: PlannedChat, message: PlannedMessage, at: datetime | None = None
    ) -> WrittenByClient:
        self._number += 1
        at = at or self._began_at + timedelta(seconds=message.at) + CLOCKS[chat.channel]
        id, sequence = message.token, 0
        if chat.channel == "telegram":
            at, sequence, id = (
                at.replace(microsecond=0),
                500_000 + self._number,
                f"{chat.chat}:{500_000 + self._number}",
            )
        return WrittenByClient(
            chat.channel, chat.chat, id, message.token, at, sequence, f"{message.token} said", number=chat.number,
            name=chat.name, is_echo=message.is_echo,
        )  # fmt: skip

    async def _first_told(
        self, chat: PlannedChat, together: Sequence[PlannedMessage], first: Sequence[WrittenByClient]
    ) -> None:
        double = self._telling[chat.channel]
        updates = [double.first_form(one, m.album) for m, one in zip(together, first, strict=True)]
        if double is self._sandbox:
            self._sandbox.updates += updates
        await self._until(together[0].at + together[0].told_after)
        await asyncio.gather(*(double.says(*updates) for _ in range(together[0].copies)))

    async def _changed(self, chat: PlannedChat, message: PlannedMessage, one: WrittenByClient) -> None:
        """Edits and deletions, each told as it happens, though the first form may not have been."""
        for number, after in enumerate(message.edits, 1):
            await self._until(message.at + after)
            one.edits, one.text = number, f"{message.token} edited {number}"
            await self._told_edit(chat, message, replace(one))
        if message.deleted_after is not None and chat.channel != "telegram":
            await self._until(message.at + message.deleted_after)
            one.is_deleted = True
            double = self._telling[chat.channel]
            await double.says(double.deleted(replace(one)))

    async def _told_edit(self, chat: PlannedChat, message: PlannedMessage, one: WrittenByClient) -> None:
        if chat.channel == "telegram":
            self._telegram.tells("edited_message", one)
            return
        double = self._telling[chat.channel]
        update = double.edited(one)
        if double is self._sandbox:
            self._sandbox.updates.append(update)
        await asyncio.gather(*(double.says(update) for _ in range(message.copies)))

    async def _rings(self, chat: PlannedChat) -> None:
        """A call that nobody answers."""
        assert chat.calls_at is not None
        await self._until(chat.calls_at)
        self._truth.numbers_called.add(chat.number)
        call = {"callId": f"ring-{chat.chat}", "from": chat.number, "to": "+74950000001", "direction": "in"}
        await self._teller.tell("/pbx/generic/events", json={**call, "event": "newCall"}, headers=AUTH)
        await asyncio.sleep(_RINGS_SECONDS)
        over = {**call, "event": "hangup", "cause": "noAnswer"}
        await self._teller.tell("/pbx/generic/events", json=over, headers=AUTH)

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self._began + at - time.monotonic()))


def _together(chat: PlannedChat) -> Iterator[list[PlannedMessage]]:
    """Messages that are told in one request; Telegram tells each by itself."""
    group: list[PlannedMessage] = []
    for message in chat.messages:
        if group and (not message.is_together or chat.channel == "telegram"):
            yield group
            group = []
        group.append(message)
    yield group
