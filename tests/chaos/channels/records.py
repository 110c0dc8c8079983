"""What clients wrote in the messengers and what these got of ours, as it truly was. Pure but for what the doubles note in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

ChannelName = Literal["sandbox", "telegram", "wazzup"]
CHANNELS: tuple[ChannelName, ...] = ("sandbox", "telegram", "wazzup")
TOKEN = re.compile(r"\b[mae]\d{5}\b")
"""By which a text is found again wherever it comes: each message bears one of its own. m: a client's, a: an answer of ours, e: typed
on the phone."""

SendFault = Literal[
    "none",
    "silent",
    "hang up",
    "broken",
    "page",
    "swallowed",
    "dropped",
    "bad gateway",
    "busy",
    "throttle",
    "refused",
]
"""What a messenger does with a message: taken are the first five (answered well, never, by a closed connection, with 500, with a
page), not taken the others (never answered, connection closed, 502, 503, 429, refused for good)."""
TAKEN: frozenset[SendFault] = frozenset({"none", "silent", "hang up", "broken", "page"})
AGAIN: frozenset[SendFault] = frozenset({"busy", "throttle"})
"""After these the same message may come again: it was certainly not taken."""
STATUS_RANK: Mapping[str, int] = {"unknown": 2, "sent": 3, "refused": 4, "delivered": 5, "read": 6}


def token_of(text: str) -> str:
    found = TOKEN.search(text)
    return found.group() if found else ""


@dataclass(slots=True)
class WrittenByClient:
    """at, sequence: the messenger's. text: as it reads now. number: the client's, "" where the messenger tells none. is_missed: nobody
    of ours was there when it was told, and nobody tells it again. edits: how often it was edited, ours: typed on the phone."""

    channel: ChannelName
    chat: str
    id: str
    token: str
    at: datetime
    sequence: int
    text: str
    number: str = ""
    name: str = ""
    edits: int = 0
    is_deleted: bool = False
    is_echo: bool = False
    is_missed: bool = False


@dataclass(frozen=True, slots=True)
class SeenSending:
    """One request to send, as a messenger got it. was_killed: whoever sent it was, before or after."""

    channel: ChannelName
    chat: str
    token: str
    at: float
    fault: SendFault
    was_killed: bool = False
    outside_id: str = ""

    @property
    def is_taken(self) -> bool:
        return bool(self.outside_id)


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """What became of an answer that an employee ordered through the API. owner: of one that was taken by somebody else."""

    channel: ChannelName
    chat: str
    token: str
    employee: str
    result: Literal["accepted", "taken"]
    is_anyway: bool = False
    owner: str = ""


@dataclass
class MessengerTruth:
    """statuses: by token of ours, what was told of it."""

    written: list[WrittenByClient] = field(default_factory=list)
    sendings: list[SeenSending] = field(default_factory=list)
    answers: list[SeenAnswer] = field(default_factory=list)
    statuses: dict[str, list[str]] = field(default_factory=dict)
    numbers_called: set[str] = field(default_factory=set)

    def taken(self, token: str) -> list[SeenSending]:
        return [one for one in self.sendings if one.token == token and one.is_taken]

    def clients(self) -> dict[str, list[WrittenByClient]]:
        """By number, else by name: whose messages make one contact and one deal."""
        found: dict[str, list[WrittenByClient]] = {}
        for one in self.written:
            if not one.is_echo:
                found.setdefault(one.number or one.name, []).append(one)
        return found

    def chats(self) -> dict[tuple[ChannelName, str], list[WrittenByClient]]:
        """In the order in which they were written."""
        found: dict[tuple[ChannelName, str], list[WrittenByClient]] = {}
        for one in in_order(self.written):
            found.setdefault((one.channel, one.chat), []).append(one)
        return found


def in_order(written: Iterable[WrittenByClient]) -> list[WrittenByClient]:
    return sorted(written, key=lambda one: (one.at, one.sequence))
