"""A seeded plan of what clients write: new ones and known ones, alone and in albums, corrected and taken back, told well and badly.

Pure: the same seed, length and number give the same plan. Times are seconds since the run began.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.channels.records import CHANNELS, ChannelName

EMPLOYEES = tuple(f"manager{n}" for n in range(101, 107))
KNOWN = 60
"""Of the CRM's sample contacts so many may write, the first ones."""


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """at: when it is written. told_after: how much later its first form is told. copies: how often each form is. edits: when, after
    it. is_together: told in one request with the one before."""

    token: str
    at: float
    told_after: float = 0.0
    copies: int = 1
    edits: tuple[float, ...] = ()
    deleted_after: float | None = None
    is_together: bool = False
    is_echo: bool = False
    album: str = ""


@dataclass(frozen=True, slots=True)
class PlannedAnswers:
    """tokens: one for each employee; all of them write at once, as soon as the dialogue is there and so much later. repeats: so often
    the winner writes again. is_anyway: who was second writes all the same."""

    after: float
    tokens: tuple[str, ...]
    employees: tuple[str, ...]
    repeats: tuple[str, ...] = ()
    is_anyway: bool = False


@dataclass(frozen=True, slots=True)
class PlannedChat:
    """calls_at: when the same client rings too, None = they do not."""

    channel: ChannelName
    chat: str
    number: str
    name: str
    messages: tuple[PlannedMessage, ...]
    answers: PlannedAnswers | None = None
    calls_at: float | None = None


def plan(seed: int, seconds: float, chats: int, *, first: int = 0) -> list[PlannedChat]:
    """first: number of the first chat, so that a later part of a run has others."""
    return sorted(_Planner(seed, seconds, first).chats(chats), key=lambda one: one.messages[0].at)


class _Planner:
    def __init__(self, seed: int, seconds: float, first: int) -> None:
        self._random = random.Random(f"chats {seed} {first}")
        self._seed, self._seconds = seed, seconds
        self._chat, self._token = first, first * 100
        self._known = list(range(1 + first % KNOWN, KNOWN + 1))
        self._random.shuffle(self._known)

    def chats(self, count: int) -> Iterator[PlannedChat]:
        """Each messenger in turn; now and then a client who writes in two of them at the same moment."""
        for n in range(count):
            channel = CHANNELS[n % len(CHANNELS)]
            at = self._random.uniform(0, self._seconds)
            number = self._number(channel, n)
            yield self._planned(channel, at, number, has_answers=True)
            if number and channel == "wazzup" and self._random.random() < 0.5:
                yield self._planned("sandbox", at + self._random.uniform(0, 0.05), number, has_answers=False)

    def _number(self, channel: ChannelName, n: int) -> str:
        """Of a client of the sandbox the number is told now and then, of one of Telegram never."""
        if channel == "telegram" or (channel == "sandbox" and self._random.random() < 0.4):
            return ""
        if self._random.random() < 0.2 and self._known:
            return f"+7900{self._known.pop():07d}"
        return f"+7{930 + self._seed % 10}{self._chat + 1:07d}"

    def _planned(self, channel: ChannelName, at: float, number: str, *, has_answers: bool) -> PlannedChat:
        self._chat += 1
        chat = number[1:] if channel == "wazzup" else str(700_000 + self._chat)
        rings = number and not number.startswith("+7900") and self._random.random() < 0.5
        return PlannedChat(
            channel, chat, number, f"Client {self._seed}-{self._chat}",
            messages=tuple(self._messages(channel, at)),
            answers=self._answers() if has_answers else None,
            calls_at=at + self._random.uniform(-0.05, 0.05) if rings else None,
        )  # fmt: skip

    def _messages(self, channel: ChannelName, at: float) -> Iterator[PlannedMessage]:
        if self._random.random() < 0.3:
            yield from self._album(at)
            at += 1
        for _ in range(self._random.choice([1, 2, 3, 5])):
            yield self._message(channel, at)
            at += self._random.uniform(0.05, 3)
        if channel != "telegram" and self._random.random() < 0.3:
            yield PlannedMessage(self._next("e"), at, copies=self._random.choice([1, 2]), is_echo=True)

    def _album(self, at: float) -> Iterator[PlannedMessage]:
        """Five at the same instant, each told by itself, or all in one request; in any order, most of them twice."""
        album, is_together = f"album{self._chat}-{self._seed}", self._random.random() < 0.5
        for n in range(5):
            yield PlannedMessage(
                self._next("m"), at + n / 1000, self._random.uniform(0, 0.3), self._random.choice([1, 2, 2, 3]),
                is_together=is_together and n > 0, album=album,
            )  # fmt: skip

    def _message(self, channel: ChannelName, at: float) -> PlannedMessage:
        edits = tuple(
            sorted(self._random.uniform(0.2, 6) for _ in range(self._random.choice([0, 0, 0, 1, 2])))
        )
        is_deleted = channel != "telegram" and self._random.random() < 0.12
        late = self._random.random()
        return PlannedMessage(
            self._next("m"), at,
            told_after=self._random.uniform(2, 8) if late < 0.15 else self._random.uniform(0, 0.2),
            copies=self._random.choice([1, 1, 1, 2, 3]),
            edits=edits,
            deleted_after=max((*edits, 0.0)) + self._random.uniform(0.2, 4) if is_deleted else None,
        )  # fmt: skip

    def _answers(self) -> PlannedAnswers | None:
        if self._random.random() < 0.15:
            return None
        people = tuple(self._random.sample(EMPLOYEES, self._random.choice([1, 2, 2, 3])))
        repeats = tuple(self._next("a") for _ in range(self._random.choice([0, 1, 2])))
        tokens = tuple(self._next("a") for _ in people)
        is_anyway = self._random.random() < 0.3
        return PlannedAnswers(self._random.uniform(0, 3), tokens, people, repeats, is_anyway)

    def _next(self, kind: str) -> str:
        self._token += 1
        return f"{kind}{self._token:05d}"
