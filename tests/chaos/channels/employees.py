"""Employees answer through the API, over lines that lose answers: what is not heard of is sent again under the same key."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from tests.chaos.channels.plan import PlannedAnswers, PlannedChat
from tests.chaos.channels.records import ChannelName, MessengerTruth, SeenAnswer
from tests.chaos.site import Site
from tests.e2e.stack import ACCOUNT

_SECONDS = 4.0
_PATIENCE_SECONDS = 240.0
_DIALOGUE = "SELECT dialogue_id FROM dialogue WHERE channel_id = $1 AND chat_id = $2"


class Employees:
    """tokens: of the API, by employee. channels: ids, by name. wrong: answers that are none of those expected."""

    def __init__(
        self,
        site: Site,
        session: aiohttp.ClientSession,
        truth: MessengerTruth,
        seed: int,
        tokens: Mapping[str, str],
        channels: Mapping[ChannelName, str],
    ) -> None:
        self._site, self._session, self._truth = site, session, truth
        self._random = random.Random(f"employees {seed}")
        self._tokens, self._channels = tokens, channels
        self.wrong: list[str] = []
        self.repeated = 0

    async def play(self, chats: Sequence[PlannedChat], until: Callable[[float], Any]) -> None:
        """until: waits for a moment of the run."""
        async with asyncio.TaskGroup() as group:
            for chat in chats:
                if chat.answers is not None:
                    group.create_task(self._answers(chat, chat.answers, until))

    async def _answers(
        self, chat: PlannedChat, planned: PlannedAnswers, until: Callable[[float], Any]
    ) -> None:
        await until(chat.messages[0].at)
        dialogue = await self.dialogue(chat)
        await asyncio.sleep(planned.after)
        each = zip(planned.employees, planned.tokens, strict=True)
        first = await asyncio.gather(*(self._write(chat, dialogue, who, token) for who, token in each))
        winners = [one for one in first if one and one.result == "accepted"]
        for token in planned.repeats if winners else ():
            await self._write(chat, dialogue, winners[0].employee, token)
        losers = [one for one in first if one and one.result == "taken"]
        if planned.is_anyway and losers:
            await self._write(chat, dialogue, losers[0].employee, losers[0].token, is_anyway=True)

    async def dialogue(self, chat: PlannedChat) -> int:
        """Its id, once what the client wrote is in it."""
        while not (rows := await self._site.fetch(_DIALOGUE, self._channels[chat.channel], chat.chat)):
            await asyncio.sleep(0.3)
        return int(rows[0]["dialogue_id"])

    async def _write(
        self, chat: PlannedChat, dialogue: int, who: str, token: str, *, is_anyway: bool = False
    ) -> SeenAnswer | None:
        body = {"key": f"key-{token}", "text": f"{token} answered", "is_anyway": is_anyway}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE_SECONDS
        while loop.time() < deadline:
            status, told = await self._asked(dialogue, who, body)
            if status in (201, 409):
                return self._heard(chat, who, token, status, told, is_anyway=is_anyway)
            if 400 <= status < 500 and status not in (401, 404, 408, 429):
                self.wrong.append(f"{token} of {who}: {status} {told}")
                return None
            self.repeated += 1
            await asyncio.sleep(0.5)
        self.wrong.append(f"{token} of {who} was not taken for {_PATIENCE_SECONDS:g} s: {status} {told}")
        return None

    def _heard(
        self, chat: PlannedChat, who: str, token: str, status: int, told: Any, *, is_anyway: bool
    ) -> SeenAnswer | None:
        owner = ""
        if status == 409:
            (why,) = told.get("problems") or [{"reason": told.get("code")}]
            if why["reason"] != "taken":
                self.wrong.append(f"{token} of {who}: {told}")
                return None
            owner = str(why["owner"])
        result = "accepted" if status == 201 else "taken"
        seen = SeenAnswer(chat.channel, chat.chat, token, who, result, is_anyway, owner)  # type: ignore[arg-type]
        self._truth.answers.append(seen)
        return seen

    async def _asked(self, dialogue: int, who: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """(0, why) where no answer came, or where it was heard by nobody: each tenth is lost on its way."""
        url = (
            f"{self._random.choice(self._site.urls)}/api/v1/accounts/{ACCOUNT}/dialogues/{dialogue}/messages"
        )
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        try:
            async with self._session.post(
                url, json=body, headers=headers, timeout=aiohttp.ClientTimeout(total=_SECONDS)
            ) as answer:
                told = await answer.json(content_type=None)
                return (0, "lost") if self._random.random() < 0.1 else (answer.status, told)
        except (aiohttp.ClientError, TimeoutError, ValueError) as err:
            return 0, repr(err)
