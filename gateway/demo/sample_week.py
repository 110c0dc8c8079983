"""A week of sample calls: pages that are opened for the first time show what they look like on a working day."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.demo.data import EXTENSIONS, OFFICE_LINE

HowItWent = Literal["answered", "missed", "busy", "called"]
"""called: by us, and answered."""

_OPEN, _CLOSE = time(9), time(19)
_CALLS_A_DAY = 14
_CONTACTS = 60
_SOURCES = ("yandex", "google", "", "", "2gis")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOfTheWeek:
    """client: E.164 without the plus. rang, talked: seconds. extension: who rang or called."""

    id: str
    at: datetime
    client: str
    outcome: HowItWent
    extension: str
    rang: int
    talked: int
    source: str

    def events(self) -> Iterator[Mapping[str, str]]:
        """As the generic PBX pushes them, the oldest first."""
        line, phone = OFFICE_LINE.lstrip("+"), {"extension": self.extension}
        is_ours = self.outcome == "called"
        parties = (
            {"from": self.extension, "to": self.client, "direction": "out"}
            if is_ours
            else {"from": self.client, "to": line, "direction": "in"}
        )
        common = {"callId": self.id, **parties}
        extra = {"utm_source": self.source} if self.source and not is_ours else {}
        yield {**common, **extra, "event": "newCall", "at": self._at(0)}
        if not is_ours:
            yield {**common, **phone, "event": "ringing", "at": self._at(1)}
        if self.talked:
            yield {**common, **phone, "event": "answer", "at": self._at(self.rang)}
            yield {
                **common,
                "event": "hangup",
                "cause": "normalClearing",
                "at": self._at(self.rang + self.talked),
            }
        else:
            cause = "userBusy" if self.outcome == "busy" else "noAnswer"
            yield {**common, "event": "hangup", "cause": cause, "at": self._at(self.rang)}

    def _at(self, seconds: float) -> str:
        return (self.at + timedelta(seconds=seconds)).isoformat()


def sample_week(now: datetime, zone: ZoneInfo, days: int = 7) -> list[CallOfTheWeek]:
    """Return the calls of the last days until a quarter of an hour ago, the oldest first; for one moment always the same."""
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
    return [call for call in calls if call.at < now - timedelta(minutes=15)]


def _call(id: str, at: datetime, chance: random.Random) -> CallOfTheWeek:
    outcomes: tuple[HowItWent, ...] = ("answered", "missed", "busy", "called")
    outcome = chance.choices(outcomes, (62, 16, 4, 18))[0]
    is_known = chance.random() < 0.85
    contact = chance.randrange(1, _CONTACTS)
    client = f"7900{contact:07}" if is_known else f"7495{chance.randrange(2_000_000, 9_999_999)}"
    return CallOfTheWeek(
        id=id,
        at=at,
        client=client,
        outcome=outcome,
        extension=chance.choice(EXTENSIONS),
        rang=chance.randrange(4, 38),
        talked=chance.randrange(15, 420) if outcome in ("answered", "called") else 0,
        source=chance.choice(_SOURCES),
    )
