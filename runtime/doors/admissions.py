"""Who may stay at a door: so many connections in all and from one address; over that, who asks nothing goes first."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

# A known peer that asked so lately is not sent away for a newcomer.
_RESTS_SECONDS = 15.0
# Nobody could be sent away: not looked for again so long, since looking takes time and newcomers come in thousands.
_FULL_SECONDS = 0.25


class Visitor(Protocol):
    """One open connection. address: of the peer. is_known: a secret was shown on it. asked_at: when it last asked."""

    address: str
    is_known: bool

    @property
    def asked_at(self) -> float: ...

    @property
    def is_waiting(self) -> bool:
        """Nothing is being done for it."""
        ...

    def send_away(self) -> None: ...


class Admissions:
    """most: connections in all. most_of_one: of one address, for IPv6 of one network of 64 bits; is_shared: addresses
    that speak for many (our reverse proxies), which the second limit does not hold for."""

    def __init__(
        self,
        most: int,
        most_of_one: int,
        *,
        is_shared: Callable[[str], bool] = lambda _: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most, self._most_of_one, self._is_shared, self._clock = most, most_of_one, is_shared, clock
        self._all: dict[Visitor, None] = {}
        self._of: dict[str, dict[Visitor, None]] = {}
        self._full_until: dict[str, float] = {}
        self.sent_away = 0
        self.refused = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Any]:
        return iter(tuple(self._all))

    def admit(self, visitor: Visitor) -> bool:
        """Hold it until `release`, for which another may be sent away; False: it cannot stay."""
        network = network_of(visitor.address)
        of_one = self._of.get(network, {})
        if (
            len(of_one) >= self._most_of_one
            and not self._is_shared(visitor.address)
            and not self._make_room(of_one, network)
        ) or (len(self._all) >= self.most and not self._make_room(self._all, "")):
            self.refused += 1
            return False
        self._all[visitor] = None
        self._of.setdefault(network, {})[visitor] = None
        return True

    def release(self, visitor: Visitor) -> None:
        """Forget it. One that was never admitted, or was released before, is no matter."""
        if visitor not in self._all:
            return
        del self._all[visitor]
        network = network_of(visitor.address)
        del self._of[network][visitor]
        if not self._of[network]:
            del self._of[network]
            self._full_until.pop(network, None)

    def thin_out(self, share: float) -> int:
        """Send away this share of those who wait; return how many went."""
        gone = 0
        for _ in range(int(len(self._all) * share)):
            gone += self._make_room(self._all, "")
        return gone

    def _make_room(self, among: dict[Visitor, None], network: str) -> bool:
        now = self._clock()
        if now < self._full_until.get(network, 0.0):
            return False
        visitor = _first_to_go(among, now)
        if visitor is None:
            self._full_until[network] = now + _FULL_SECONDS
            return False
        self.release(visitor)
        self.sent_away += 1
        visitor.send_away()
        return True


def _first_to_go(among: dict[Visitor, None], now: float) -> Visitor | None:
    """Return the oldest stranger who waits, else of the known ones the one that has asked nothing for longest."""
    resting: Visitor | None = None
    for visitor in among:
        if not visitor.is_waiting:
            continue
        if not visitor.is_known:
            return visitor
        if now - visitor.asked_at > _RESTS_SECONDS and (
            resting is None or visitor.asked_at < resting.asked_at
        ):
            resting = visitor
    return resting


def network_of(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or an IPv6 network of 64 bits."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped) if found.ipv4_mapped else found.exploded[:19]
