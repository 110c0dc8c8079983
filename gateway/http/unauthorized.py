"""Requests without a valid secret: refused alike, counted, and told with the address they came from."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from gateway.http.peers import Peers
from gateway.http.problems import unauthorised
from runtime.doors.seldom import SeldomTold
from runtime.metrics import Sample


class UnauthorizedResponder:
    """Call it with the request to refuse. count: since the start of this process."""

    def __init__(self, peers: Peers | None = None) -> None:
        self._peers = peers or Peers()
        self._told = SeldomTold("pbx-request-unauthorised")

    @property
    def count(self) -> int:
        return self._told.total

    def __call__(self, request: web.Request) -> web.Response:
        route = request.match_info.route.resource
        self._told.note(self._peers.address_of(request), route=route.canonical if route is not None else "?")
        return unauthorised()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "unauthorised", "PBX requests without a valid secret", {}, self.count
