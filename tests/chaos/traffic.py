"""A seeded plan of call traffic: which calls there are, what the telephone systems tell of them, and how badly.

Pure: the same seed, length and number give the same plan. Times are seconds since the run began.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.chaos.tenants import KNOWN_CONTACTS, Tenant

LINE = "74950000001"
EXTENSIONS = tuple(str(n) for n in range(101, 111))
UNKNOWN_EXTENSION = "777"
_WEIGHTS = (60, 25, 15)
"""Of an account's connections, in their order."""

Scenario = Literal[
    "missed", "answered", "transferred", "answered_by_unknown", "answer_known_by_hangup", "returned", "noise"
]


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """at: when it happens. sent_at: when the PBX tells it first. copies: how often it tells it. is_lost: never told."""

    at: float
    sent_at: float
    fields: dict[str, Any]
    copies: int = 1
    is_lost: bool = False

    @property
    def name(self) -> str:
        return str(self.fields["event"])


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """number: the client's, E.164; None = nobody's (anonymous, internal, our own line). skew: of the connection's clock."""

    account: str
    key: str
    at: float
    connection: str
    scenario: Scenario
    direction: Literal["in", "out"]
    number: str | None
    events: tuple[PlannedEvent, ...]
    skew: float | None = 0.0
    spoilt: frozenset[str] = field(default_factory=frozenset)


def plan(seed: int, seconds: float, calls: int, tenants: Sequence[Tenant]) -> list[PlannedCall]:
    """So many calls or a few more (a call that is returned is two), in the order in which they begin. The same numbers
    call all accounts."""
    made = [
        call
        for tenant in tenants
        for call in _Generator(seed, seconds, round(calls * tenant.share), tenant).calls()
    ]
    return sorted(made, key=lambda call: (call.at, call.key))


class _Generator:
    def __init__(self, seed: int, seconds: float, calls: int, tenant: Tenant) -> None:
        self.random = random.Random(f"{tenant.account} {seed}")
        self.tenant = tenant
        self.skew = self.random.choice([-1, 1])
        self.seconds, self.count = seconds, calls
        self.made = 0
        self.fresh = 0
        self.seen: list[str] = []
        self.seed = seed

    def calls(self) -> Iterator[PlannedCall]:
        kinds: dict[Callable[[float], Iterator[PlannedCall]], int] = {
            self._single: 80,
            self._returned: 9,
            self._twins: 7,
            self._noise: 4,
        }
        while self.made < self.count:
            at = self.random.uniform(0, self.seconds)
            kind = self.random.choices(list(kinds), list(kinds.values()))[0]
            yield from kind(at)

    def _single(self, at: float) -> Iterator[PlannedCall]:
        scenarios: dict[Scenario, int] = {
            "missed": 45,
            "answered": 38,
            "transferred": 7,
            "answered_by_unknown": 5,
            "answer_known_by_hangup": 5,
        }
        scenario = self.random.choices(list(scenarios), list(scenarios.values()))[0]
        yield self._call(at, scenario, self._number())

    def _returned(self, at: float) -> Iterator[PlannedCall]:
        number = self._number()
        yield self._call(at, "missed", number)
        yield self._call(at + self.random.uniform(3, 15), "returned", number)

    def _twins(self, at: float) -> Iterator[PlannedCall]:
        """Two calls of one number within 50 ms; most often a number that nobody knows yet."""
        number = self._new() if self.random.random() < 0.7 else self._number()
        for _ in range(2):
            yield self._call(
                at + self.random.uniform(0, 0.05), self.random.choice(["missed", "answered"]), number
            )

    def _noise(self, at: float) -> Iterator[PlannedCall]:
        yield self._call(at, "noise", None)

    def _number(self) -> str:
        roll = self.random.random()
        if roll < 0.25:
            return f"+7900{self.random.randint(1, KNOWN_CONTACTS):07d}"
        if roll < 0.5 and self.seen:
            return self.random.choice(self.seen[-40:])
        return self._new()

    def _new(self) -> str:
        self.fresh += 1
        number = f"+7{916 + self.seed % 20}{self.fresh:07d}"
        self.seen.append(number)
        return number

    def _call(self, at: float, scenario: Scenario, number: str | None) -> PlannedCall:
        self.made += 1
        key = f"{self.tenant.account}-{self.seed}-{self.made}"
        is_out = scenario == "returned"
        skews = self.tenant.skews
        connection = self.random.choices(list(skews), _WEIGHTS[: len(skews)])[0]
        base = {
            "callId": key,
            "direction": "out" if is_out else "in",
            "from": self.random.choice(EXTENSIONS) if is_out else self._spelled(number),
            "to": self._spelled(number) if is_out else LINE,
        }
        if scenario == "noise" and self.random.random() < 0.4:
            base |= {"from": "102", "to": "103", "direction": "internal"}
        skew = skews[connection]
        events = tuple(
            PlannedEvent(
                at + after,
                at + after,
                {**base, **fields} | ({} if skew is None else {"_skew": skew * self.skew}),
            )
            for after, fields in self._script(scenario)
        )
        direction: Literal["in", "out"] = "out" if is_out else "in"
        ahead = None if skew is None else skew * self.skew
        call = PlannedCall(
            self.tenant.account, key, at, connection, scenario, direction, number, events, ahead
        )
        return self._spoilt(call)

    def _spelled(self, number: str | None) -> str:
        if number is None:
            return self.random.choice(["anonymous", "", "102", LINE, "abc", "1" * 30])
        digits = number[1:]
        return self.random.choice([number, digits, "8" + digits[1:], f"8 ({digits[1:4]}) {digits[4:]}"])

    def _script(self, scenario: Scenario) -> list[tuple[float, dict[str, Any]]]:
        """What the PBX sees, seconds after the call's begin."""
        first, second = self.random.sample(EXTENSIONS, 2)
        rings, talks = self.random.uniform(0.3, 2), self.random.uniform(0.5, 4)
        over = rings + talks
        start: tuple[float, dict[str, Any]] = (0.0, {"event": "newCall"})
        end = {"event": "hangup", "cause": "normalClearing", "billsec": max(1, int(talks))}
        match scenario:
            case "missed" | "noise":
                return [start, (rings, {"event": "hangup", "cause": "noAnswer"})]
            case "answered" | "returned":
                told = [start, (rings, {"event": "answer", "extension": first}), (over, end)]
                if self.random.random() < 0.2:
                    told.append((over + 2, {"event": "recording", "recording": "https://pbx.example/r.mp3"}))
                return told
            case "transferred":
                return [
                    start,
                    (rings, {"event": "answer", "extension": first, "leg": "a"}),
                    (rings + talks / 2, {"event": "answer", "extension": second, "leg": "b"}),
                    (over, end),
                ]
            case "answered_by_unknown":
                return [start, (rings, {"event": "answer", "extension": UNKNOWN_EXTENSION}), (over, end)]
            case "answer_known_by_hangup":
                return [start, (over, {**end, "extension": first})]
        raise AssertionError(scenario)

    def _spoilt(self, call: PlannedCall) -> PlannedCall:
        """Events told twice, late, in another order, or not at all."""
        events, spoilt = list(call.events), set()
        if self.random.random() < 0.15:
            events = [replace(e, copies=self.random.choice([1, 2, 3])) for e in events]
            spoilt.add("repeated")
        if self.random.random() < 0.10:
            times = [e.sent_at for e in events]
            self.random.shuffle(times)
            events = [replace(e, sent_at=max(t, e.at)) for e, t in zip(events, times, strict=True)]
            last = max(e.sent_at for e in events)
            events[0] = replace(events[0], sent_at=last + 0.2)
            spoilt.add("reordered")
        if self.random.random() < 0.07:
            late = self.random.randrange(len(events))
            events[late] = replace(events[late], sent_at=events[late].sent_at + self.random.uniform(2, 20))
            spoilt.add("delayed")
        if self.random.random() < 0.05:
            lost = self.random.randrange(len(events))
            events[lost] = replace(events[lost], is_lost=True)
            spoilt.add("missing")
        return replace(call, events=tuple(events), spoilt=frozenset(spoilt))
