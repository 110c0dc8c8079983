"""What pages for people's browsers ask of a request, beyond what holds for every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from gateway.http.peers import host_name
from gateway.http.problems import problem
from runtime.addresses import is_local

PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OwnHosts:
    """The names under which our pages may be asked for: the public one, and this machine's own.

    A stranger's name that leads here (DNS rebinding) would let a stranger's page read ours.
    """

    def __init__(self, base_url: str) -> None:
        self._public = (urlsplit(base_url).hostname or "").lower()

    def have(self, request: web.BaseRequest) -> bool:
        name = host_name(request)
        return bool(name) and (name == self._public or is_local(name))

    def only(self, handler: PageHandler) -> PageHandler:
        """Guard a page: 421 under any other name."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if not self.have(request):
                return problem(
                    421,
                    "foreign-host",
                    "This address belongs to somebody else.",
                    detail="Pages answer under CALLMATRIX_PUBLIC_URL and on loopback; a reverse proxy must pass on Host.",
                )
            return await handler(request)

        return handle
