"""Requests without a valid secret: refused alike, counted, and told with the address they came from."""

from __future__ import annotations

from collections.abc import Iterator

import structlog
from aiohttp import web

from gateway.http.problems import unauthorised
from runtime.metrics import Sample

log = structlog.get_logger(__name__)


def address_of(request: web.Request, trusted_hops: int) -> str:
    """Who asks. trusted_hops: reverse proxies of ours in front; each adds the address it saw to X-Forwarded-For.

    What stands further left in the header was written by the asker and is not believed.
    """
    seen = [
        part.strip()
        for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        if part.strip()
    ]
    if trusted_hops and len(seen) >= trusted_hops:
        return seen[-trusted_hops]
    return request.remote or ""


class UnauthorizedResponder:
    """Call it with the request to refuse. count: since the start of this process."""

    def __init__(self, trusted_hops: int = 0) -> None:
        self._trusted_hops = trusted_hops
        self.count = 0

    def __call__(self, request: web.Request) -> web.Response:
        self.count += 1
        route = request.match_info.route.resource
        log.warning(
            "pbx-request-unauthorised",
            address=address_of(request, self._trusted_hops),
            route=route.canonical if route is not None else "?",
        )
        return unauthorised()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "unauthorised", "PBX requests without a valid secret", {}, self.count
