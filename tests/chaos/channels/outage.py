"""Three days in which nobody listened, while clients went on to write: the days pass in the messengers' times and in what was noted
of the last moment at which they were listened to, not on any clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.channels.evidence import SeenChannels
from tests.chaos.channels.plan import PlannedChat, PlannedMessage, plan
from tests.chaos.channels.records import ChannelName, WrittenByClient
from tests.chaos.channels.shop import IDS, Shop
from tests.e2e.stack import ADMIN

DAYS = timedelta(days=3)
TELEGRAM_KEEPS = timedelta(hours=24)
PROCESSES = ("gateway0", "gateway1", "worker0", "worker1")
FIRST_CHAT = 100_000
"""Chats of the outage have numbers of their own, however long the run before it."""
_READY_SECONDS = 120.0
_OUTAGE = """
UPDATE channel SET listened_at = listened_at - interval '3 days' WHERE channel_id = ANY($1) AND listened_at IS NOT NULL
RETURNING channel_id
"""
_LISTENED = "SELECT count(*) AS n FROM channel WHERE channel_id = ANY($1) AND listened_at IS NOT NULL"
Fault = tuple[str, str]


class Outage:
    """missing: what goes on in chats that there were is written by the clients of these, the first ones."""

    def __init__(self, shop: Shop, seed: int, chats: Sequence[PlannedChat], count: int) -> None:
        self._shop, self._site, self._known = shop, shop.site, chats
        self._new = plan(seed, 1.0, count, first=FIRST_CHAT)
        self.written: list[WrittenByClient] = []
        self.ended_at = datetime.now(UTC)
        self._marks: Mapping[str, Sequence[Mapping[str, Any]]] = {}

    async def pass_by(self) -> None:
        """Everybody goes, three days pass, everybody comes back."""
        while (await self._site.fetch(_LISTENED, list(IDS.values())))[0]["n"] < len(IDS):
            await asyncio.sleep(0.5)
        self._site.down |= set(PROCESSES)
        for name in PROCESSES:
            self._site.kill(name)
        rows = await self._site.fetch(_OUTAGE, list(IDS.values()))
        assert len(rows) == len(IDS), "every channel was listened to before"
        self._write()
        self._site.down.clear()
        self.ended_at = datetime.now(UTC)
        for url in self._site.urls:
            await self._site.stack.until_answers(f"{url}/readyz", _READY_SECONDS)

    def _write(self) -> None:
        """Clients who are known and new ones write, some hours apart; the messengers tell it to nobody."""
        now = datetime.now(UTC)
        chats = [*self._known[:12], *self._new]
        for number, chat in enumerate(chats):
            for hours in (70 - number % 9, 47, 23 - number % 7, 1):
                self._one(chat, now - timedelta(hours=hours, minutes=number), now)
        self._shop.telegram.forget_older(now - TELEGRAM_KEEPS)
        self._shop.truth.written += self.written

    def _one(self, chat: PlannedChat, at: datetime, now: datetime) -> None:
        token = f"m{90_000 + len(self.written):05d}"
        message = next(m for m in chat.messages if not m.is_echo)
        one = self._shop.clients.write(chat, _again(message, token), at)
        self.written.append(one)
        match chat.channel:
            case "sandbox":
                self._shop.sandbox.updates.append(self._shop.sandbox.first_form(one, ""))
            case "telegram":
                self._shop.telegram.tells("message", one)
                one.is_missed = one.at < now - TELEGRAM_KEEPS
            case "wazzup":
                one.is_missed = True

    async def tells_again(self) -> None:
        """Some of what was missed is told by the messenger itself, too, while its history is being read."""
        again = [one for one in self.written if one.channel == "sandbox"][::3]
        for one in again:
            await self._shop.sandbox.says(self._shop.sandbox.first_form(one, ""))

    # --- afterwards ----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """What is said of gaps in dialogues, through the API."""
        self._marks = {
            f"{row['channel_id']} {row['chat_id']}": await self._asked(row["dialogue_id"])
            for row in await self._site.fetch("SELECT dialogue_id, channel_id, chat_id FROM dialogue")
        }

    async def _asked(self, dialogue: int) -> list[Mapping[str, Any]]:
        url = f"{self._site.urls[0]}/api/v1/accounts/demo/dialogues/{dialogue}/gaps"

        async def ask() -> list[Mapping[str, Any]]:
            async with self._site.stack.http.get(url, headers=ADMIN) as answer:
                assert answer.status == 200, await answer.text()
                return list((await answer.json())["items"])

        return await self._site.insist("asking for gaps", ask)

    def faults(self, seen: SeenChannels) -> Iterator[Fault]:
        """Filled where the messenger has a history; else a mark for what nobody can tell, in each of its dialogues."""
        yield from self._filled(seen)
        for channel, until in (("wazzup", self.ended_at), ("telegram", self.ended_at - TELEGRAM_KEEPS)):
            yield from self._open(channel, until, seen)  # type: ignore[arg-type]

    def _filled(self, seen: SeenChannels) -> Iterator[Fault]:
        gaps = [gap for gap in seen.gaps if gap["channel_id"] == IDS["sandbox"]]
        if [gap["state"] for gap in gaps] != ["repaired"] or not gaps[0]["found"]:
            yield "gap", f"the outage of the sandbox, which has a history: {gaps}"
        marked = [chat for chat, marks in self._marks.items() if chat.startswith(IDS["sandbox"]) and marks]
        if marked:
            yield "gap", f"a gap is shown where nothing is missing: {marked}"

    def _open(self, channel: ChannelName, until: datetime, seen: SeenChannels) -> Iterator[Fault]:
        gaps = [gap for gap in seen.gaps if gap["channel_id"] == IDS[channel]]
        if [gap["state"] for gap in gaps] != ["open"]:
            yield "gap", f"the outage of {channel}, which has no history: {gaps}"
            return
        missed = [one.at for one in self.written if one.channel == channel and one.is_missed]
        (gap,) = gaps
        if not all(gap["from_at"] <= at <= gap["to_at"] for at in missed):
            yield (
                "gap",
                f"what was missed of {channel} is not within the gap: {min(missed)} to {max(missed)}, {gap}",
            )
        if gap["to_at"] > until + timedelta(minutes=5):
            yield "gap", f"the gap of {channel} goes on after {until}: {gap}"
        chats = {one.chat for one in self.written if one.channel == channel and one.is_missed}
        there = {row["chat"] for row in seen.dialogues if row["channel"] == channel}
        for chat in sorted(chats & there):
            if [mark["state"] for mark in self._marks.get(f"{IDS[channel]} {chat}", [])] != ["open"]:
                yield "gap", f"chat {chat} of {channel} shows no gap, though something of it is missing"


def _again(message: PlannedMessage, token: str) -> PlannedMessage:
    return replace(message, token=token)
