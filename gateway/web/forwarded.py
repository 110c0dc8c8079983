"""Who asks, behind the gateway: it says so in a header that nobody else can send, since only it may open our socket."""

from __future__ import annotations

from aiohttp import web

from gateway.http.peers import ADDRESS_HEADER, Peers


class Forwarded(Peers):
    def address_of(self, request: web.BaseRequest) -> str:
        return request.headers.get(ADDRESS_HEADER, "")
