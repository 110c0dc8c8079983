"""What the simulation adds to the planned traffic: calls whose hangup is lost while their legs are known to have left, and
links to recordings that come long after the call."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from tests.chaos.traffic import EXTENSIONS, LINE, PlannedCall, PlannedEvent

TALKED = 7


def with_more(planned: list[PlannedCall], dice: random.Random) -> list[PlannedCall]:
    """Pure: the same plan and dice give the same calls."""
    calls = [_with_recording(call, dice) for call in planned]
    for number in range(dice.randint(0, 2)):
        client = f"+7495{dice.randint(1, 9999999):07d}"
        calls.append(_without_hangup(f"legs-{number}", client, dice, is_answered=dice.random() < 0.6))
    return calls


def _with_recording(call: PlannedCall, dice: random.Random) -> PlannedCall:
    names = {e.name for e in call.events}
    if dice.random() > 0.4 or "missing" in call.spoilt or "hangup" not in names or "recording" in names:
        return call
    over = max(e.sent_at for e in call.events)
    return replace(call, events=(*call.events, _recording(call, over + dice.uniform(5, 120))))


def _recording(call: PlannedCall, at: float) -> PlannedEvent:
    kept = ("callId", "direction", "from", "to", "_skew")
    base = {name: value for name, value in call.events[0].fields.items() if name in kept}
    return PlannedEvent(
        at, at, {**base, "event": "recording", "recording": f"https://pbx.example/{call.key}.mp3"}
    )


def _without_hangup(key: str, client: str, dice: random.Random, *, is_answered: bool) -> PlannedCall:
    at = float(dice.randint(0, 30))
    base = {"callId": key, "direction": "in", "from": client, "to": LINE, "leg": "a", "_skew": 0.0}
    answer = {"event": "answer", "extension": dice.choice(EXTENSIONS)}
    told: list[tuple[float, dict[str, Any]]] = [(0.0, {"event": "newCall"})]
    told += [(3.0, answer)] if is_answered else []
    told.append((3.0 + TALKED, {"event": "leave"}))
    events = tuple(PlannedEvent(at + after, at + after, {**base, **fields}) for after, fields in told)
    scenario = "answered" if is_answered else "missed"
    return PlannedCall("a", key, at, "generic", scenario, "in", client, events, 0.0, frozenset({"legs"}))  # type: ignore[arg-type]
