"""A week of sample calls: pages that are opened for the first time show what they look like on a working day."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.demo.data import EXTENSIONS, OFFICE_LINE

HowItWent = Literal["answered", "missed", "busy", "called"]
"""called: by us, and answered."""

_OPEN, _CLOSE = time(9), time(19)
_CALLS_A_DAY = 14
_CONTACTS = 60
NUMBERS = "7900556"
"""Numbers begin so of clients that are not among the sample ones."""
_SOURCES = ("yandex", "google", "", "", "2gis")
_RETURNED = 0.85
"""Of missed calls."""
_LATEST_HOUR: tuple[tuple[int, HowItWent], ...] = (
    (57, "answered"), (53, "called"), (51, "answered"), (46, "missed"), (44, "answered"), (41, "answered"), (37, "answered"),
    (33, "called"), (30, "answered"), (28, "missed"), (24, "answered"), (21, "busy"), (18, "answered"), (14, "called"),
    (12, "answered"), (9, "answered"),
)  # fmt: skip
"""Minutes ago, and how it went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOfTheWeek:
    """client: E.164 without the plus. rang, talked: seconds; talked of one that is not over: any number for somebody talks, 0 for
    it rings. extension: who rang or called."""

    id: str
    at: datetime
    client: str
    outcome: HowItWent
    extension: str
    rang: int
    talked: int
    source: str = ""
    is_over: bool = True
    returns_missed: bool = False

    @property
    def is_ours(self) -> bool:
        return self.outcome == "called"

    def events(self) -> Iterator[Mapping[str, str]]:
        """As the generic PBX pushes them, the oldest first."""
        phone = {"extension": self.extension}
        extra = {"utm_source": self.source} if self.source and not self.is_ours else {}
        yield {**self._common(), **extra, "event": "newCall", "at": self._at(0)}
        if not self.is_ours:
            yield {**self._common(), **phone, "event": "ringing", "at": self._at(1)}
        if self.talked:
            yield {**self._common(), **phone, "event": "answer", "at": self._at(self.rang)}
        if self.is_over:
            yield self.hangup(self.at + timedelta(seconds=self.rang + self.talked))

    def hangup(self, at: datetime) -> Mapping[str, str]:
        cause = "normalClearing" if self.talked else "userBusy" if self.outcome == "busy" else "noAnswer"
        return {**self._common(), "event": "hangup", "cause": cause, "at": at.isoformat()}

    def _common(self) -> Mapping[str, str]:
        if self.is_ours:
            return {"callId": self.id, "from": self.extension, "to": self.client, "direction": "out"}
        line = OFFICE_LINE.lstrip("+")
        return {"callId": self.id, "from": self.client, "to": line, "direction": "in"}

    def _at(self, seconds: float) -> str:
        return (self.at + timedelta(seconds=seconds)).isoformat()


def sample_week(now: datetime, zone: ZoneInfo, days: int = 7) -> list[CallOfTheWeek]:
    """Return the calls of the last days until an hour ago, the oldest first; for one moment always the same."""
    chance = random.Random(20_261_124)
    today = now.astimezone(zone).date()
    calls = []
    for back in range(days - 1, -1, -1):
        day = today - timedelta(days=back)
        opens = datetime.combine(day, _OPEN, zone)
        open_seconds = int((datetime.combine(day, _CLOSE, zone) - opens).total_seconds())
        count = _CALLS_A_DAY if day.weekday() < 5 else _CALLS_A_DAY // 4
        moments = sorted(chance.randrange(open_seconds) for _ in range(count))
        calls += [_call(f"week-{day:%m%d}-{at}", opens + timedelta(seconds=at), chance) for at in moments]
    calls += [call_back for call in calls for call_back in _returned(call, chance)]
    return sorted((call for call in calls if call.at < now - timedelta(hours=1)), key=lambda call: call.at)


def latest_hour(now: datetime) -> list[CallOfTheWeek]:
    """Return the calls of the hour until now, whatever the hour, the oldest first."""
    chance = random.Random(20_261_125)
    found = []
    for minutes, outcome in _LATEST_HOUR:
        call = _call(f"hour-{now:%m%d%H%M}-{minutes}", now - timedelta(minutes=minutes), chance, outcome)
        longest = 60 * (minutes - 2)
        found.append(replace(call, talked=call.talked if call.talked < longest else longest))
    return found


def going_on(now: datetime) -> list[CallOfTheWeek]:
    """Return calls that are not over."""
    calls = ((21, 0, "102", 9), (34, 40, "101", 170), (12, 60, "103", 452), (33, 30, "104", 655))
    return [
        CallOfTheWeek(
            id=f"now-{now:%m%d%H%M}-{contact}",
            at=now - timedelta(seconds=ago),
            client=f"7900{contact:07}",
            outcome="answered",
            extension=extension,
            rang=6,
            talked=talked,
            source="yandex" if talked else "",
            is_over=False,
        )
        for contact, talked, extension, ago in calls
    ]


def comes_again(now: datetime) -> CallOfTheWeek:
    """Return the call of a client whose deal is with the service."""
    return CallOfTheWeek(
        id=f"again-{now:%m%d%H%M}",
        at=now - timedelta(seconds=80),
        client=f"{NUMBERS}0171",
        outcome="answered",
        extension="107",
        rang=8,
        talked=70,
    )


def owner_is_gone(now: datetime) -> CallOfTheWeek:
    """Return the call of a client whose contact nobody of ours is responsible for, while somebody is for the deal."""
    id, client = f"gone-{now:%m%d%H%M}", "79010000001"
    return CallOfTheWeek(
        id=id, at=now, client=client, outcome="answered", extension="104", rang=6, talked=3, source="yandex"
    )


def _call(id: str, at: datetime, chance: random.Random, outcome: HowItWent | None = None) -> CallOfTheWeek:
    outcomes: tuple[HowItWent, ...] = ("answered", "missed", "busy", "called")
    became = outcome or chance.choices(outcomes, (62, 16, 4, 18))[0]
    is_known = chance.random() < 0.85
    contact = chance.randrange(1, _CONTACTS)
    client = f"7900{contact:07}" if is_known else f"7495{chance.randrange(2_000_000, 9_999_999)}"
    return CallOfTheWeek(
        id=id,
        at=at,
        client=client,
        outcome=became,
        extension=chance.choice(EXTENSIONS),
        rang=chance.randrange(4, 38),
        talked=chance.randrange(15, 420) if became in ("answered", "called") else 0,
        source=chance.choice(_SOURCES),
    )


def _returned(missed: CallOfTheWeek, chance: random.Random) -> Iterator[CallOfTheWeek]:
    """Most clients who were missed are called back within three quarters of an hour."""
    if missed.talked or chance.random() > _RETURNED:
        return
    after, talked = timedelta(minutes=chance.randrange(3, 45)), chance.randrange(20, 300)
    yield replace(
        missed,
        id=f"{missed.id}-back",
        at=missed.at + after,
        outcome="called",
        talked=talked,
        returns_missed=True,
    )
