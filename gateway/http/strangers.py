"""Requests without a valid secret, at whatever door: refused, counted, slowed, and told with the address they came from."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Literal

from aiohttp import web

from gateway.http.peers import Peers
from gateway.http.problems import problem, unauthorised
from runtime.doors.brake import Brake
from runtime.doors.seldom import SeldomTold
from runtime.doors.tally import Tally
from runtime.metrics import Sample

SecretDoor = Literal["pbx", "api", "webhooks", "sms", "channels", "consent", "metrics"]

_HELD_SECONDS = 0.25
_MOST_HELD = 50

_EVENTS: dict[SecretDoor, str] = {
    "pbx": "pbx-request-unauthorised",
    "api": "api-request-unauthorised",
    "webhooks": "webhook-unauthorised",
    "sms": "sms-report-unauthorised",
    "channels": "channel-update-unauthorised",
    "consent": "consent-unknown",
    "metrics": "metrics-refused",
}


class Strangers:
    """One for all doors of a process. Nothing here is asked for a request that shows a valid secret."""

    def __init__(self, peers: Peers | None = None, *, brake: Brake | None = None) -> None:
        self._peers, self._brake = peers or Peers(), brake or Brake()
        self._told = {door: SeldomTold(event) for door, event in _EVENTS.items()}
        self._forbidden = SeldomTold("api-request-forbidden")
        self._old = SeldomTold("notification-signed-long-ago")
        self.tally = Tally()
        self._held = 0
        self.slowed = 0

    def count(self, door: SecretDoor) -> int:
        """Since the start of this process."""
        return self._told[door].total

    async def of_pbx(self, request: web.Request, connection: str = "") -> web.Response:
        """Refuse a PBX: always 401 and always the same, so that nobody learns which connections exist. connection: one of ours
        that was asked for. Whoever goes on is answered a little later, or without the connection being kept."""
        response = unauthorised()
        if self._noted("pbx", request, connection):
            if self._held >= _MOST_HELD:
                response.force_close()
                return response
            self._held += 1
            try:
                await asyncio.sleep(_HELD_SECONDS)
            finally:
                self._held -= 1
        return response

    def of(self, door: SecretDoor, request: web.Request, answer: web.Response) -> web.Response:
        """Return the answer, or 429 for whoever has been wrong too often."""
        wait = self._noted(door, request)
        return too_many(wait) if wait else answer

    def nameless(self, door: SecretDoor, request: web.Request) -> None:
        """Count what bears no secret at all: nobody guesses so."""
        self._told[door].note(self._peers.address_of(request), route=_route_of(request))

    def elsewhere(self, address: str, connection: str) -> None:
        """Count what was refused at a PBX's door that does not speak HTTP, which slows and tells by itself."""
        self.tally.note("questions", connection, address)

    def forbidden(self, request: web.Request, who: str) -> None:
        """Count what a known token may not do. who: its name."""
        address = self._peers.address_of(request)
        self._forbidden.note(address, token=who, route=_route_of(request))
        self.tally.note("forbidden", "", address)

    def signed_long_ago(self, request: web.Request, connection: str) -> None:
        """Count a message whose signature is right and old: delivered late, or overheard and sent again."""
        address = self._peers.address_of(request)
        self._old.note(address, connection=connection)
        self.tally.note("signed-long-ago", connection, address)

    def _noted(self, door: SecretDoor, request: web.Request, connection: str = "") -> float:
        address = self._peers.address_of(request)
        self._told[door].note(address, route=_route_of(request))
        self.tally.note(door, connection, address)
        wait = self._brake.wrong(address)
        self.slowed += bool(wait)
        return wait

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        for door, told in self._told.items():
            yield (
                "counter",
                "unauthorised",
                "Requests without a valid secret, by door",
                {"door": door},
                told.total,
            )
        yield "counter", "unauthorised_slowed", "of them held up or answered 429", {}, self.slowed
        yield (
            "counter",
            "events_signed_long_ago",
            "PBX events signed over 15 minutes before",
            {},
            self._old.total,
        )
        yield "counter", "forbidden", "API requests that the token may not do", {}, self._forbidden.total


def too_many(seconds: float) -> web.Response:
    response = problem(
        429,
        "too-many-attempts",
        "Too many wrong secrets came from this address.",
        detail="Wait as long as Retry-After says; a valid secret is answered at once.",
    )
    response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return response


def _route_of(request: web.Request) -> str:
    """Return the route, not the path: secrets stand in paths."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"
