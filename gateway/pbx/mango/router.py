"""MANGO's calls sent to whom the lookup names, by `commands/route`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from gateway.pbx.capabilities import Dwelling, RouteOrder, RouteResult
from gateway.pbx.connection import Connection
from gateway.pbx.mango import routing
from gateway.pbx.mango.client import MangoClient, product_of
from gateway.pbx.mango.commands import ROUTE_EVERY, route_command
from gateway.pbx.port import Inbound


class MangoRouter:
    """The vendor takes one routing command in two seconds per product, whichever process sends it."""

    interval = ROUTE_EVERY

    def product(self, connection: Connection) -> str:
        return product_of(connection)

    def dwelling(self, request: Inbound, connection: Connection) -> Dwelling | None:
        return routing.dwelling_call(request, connection)

    def result(self, request: Inbound) -> RouteResult | None:
        return routing.command_result(request)

    def destination(self, answer: Mapping[str, Any], connection: Connection) -> tuple[str, str | None] | None:
        return routing.destination(answer, connection)

    async def send(
        self, session: aiohttp.ClientSession, connection: Connection, order: RouteOrder, seconds: float
    ) -> None:
        command = route_command(order.leg, order.address, order.command_id, order.display_name)
        await MangoClient(session, connection).command(command, seconds)
