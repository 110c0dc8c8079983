"""Names in the CRM sandbox, whose own sample data only has numbers: its people, and the clients that call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiohttp

from gateway.demo.names import EMPLOYEES, client_name, deal_name, deal_price
from gateway.demo.pipelines import headers_of

_CONTACTS, _DEALS = 10_000_000, 30_000_000
_OWNER_IS_GONE = 9_000_001
_EVERY_THIRD_HAS_A_DEAL = 3
MOST_NAMED = 60


async def name_people_and_clients(session: aiohttp.ClientSession, sandbox_url: str, contacts: int) -> None:
    """At the first start only. contacts: how many sample clients there are."""
    async with session.get(f"{sandbox_url}/_sandbox/state?kind=user") as response:
        users = (await response.json())["rows"]
    for user in users:
        name = EMPLOYEES.get(user["email"].partition("@")[0].lstrip("abcdefghijklmnopqrstuvwxyz"))
        if name is not None or user["email"].startswith("deactivated@"):
            await _rename(session, sandbox_url, user["id"], name or EMPLOYEES["199"])
    numbers = range(1, min(contacts, MOST_NAMED) + 1)
    clients = [{"id": _CONTACTS + n, "name": client_name(n)} for n in numbers]
    deals = [
        {"id": _DEALS + n, "name": deal_name(n), "price": deal_price(n)}
        for n in numbers
        if n % _EVERY_THIRD_HAS_A_DEAL == 0
    ]
    clients.append({"id": _CONTACTS + _OWNER_IS_GONE, "name": "Наталья Климова"})
    deals.append({"id": _DEALS + _OWNER_IS_GONE, "name": deal_name(5), "price": 284_000})
    await _changed(session, sandbox_url, "contacts", clients)
    await _changed(session, sandbox_url, "leads", deals)


async def _rename(session: aiohttp.ClientSession, sandbox_url: str, user: int, name: str) -> None:
    act = {"do": "rename_user", "user": user, "name": name}
    async with session.post(f"{sandbox_url}/_sandbox/act", json=act) as response:
        response.raise_for_status()


async def _changed(
    session: aiohttp.ClientSession, sandbox_url: str, kind: str, rows: Sequence[dict[str, Any]]
) -> None:
    if not rows:
        return
    headers = await headers_of(session, sandbox_url, "names")
    async with session.patch(f"{sandbox_url}/api/v4/{kind}", headers=headers, json=rows) as response:
        response.raise_for_status()
