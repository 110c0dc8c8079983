"""A gateway process' insides on a real database, asked over real HTTP; no CRM behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg

from crm.amocrm.store import store_long_lived_token
from gateway.app.gateway import Gateway
from routing.staff import Employee

ACCOUNT = "main"
SENIOR = Employee(
    id="boss", name="Ольга", email="boss@x.example", crm_user_id="1", extensions=("100",), is_senior=True
)
ANNA = Employee(id="anna", name="Анна", crm_user_id="11", extensions=("101",), numbers=("+79031112233",))


@dataclass
class Api:
    """tokens: role -> token."""

    url: str
    pool: asyncpg.Pool
    http: aiohttp.ClientSession
    gateway: Gateway
    tokens: dict[str, str] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        body: Any = None,
        role: str = "admin",
        **query: Any,
    ) -> Any:
        """path: below /api/v1, `{a}` stands for the account."""
        async with self.http.request(
            method,
            f"{self.url}/api/v1{path.replace('{a}', f'/accounts/{ACCOUNT}')}",
            json=body,
            params={k: str(v) for k, v in query.items()},
            headers={"Authorization": f"Bearer {self.tokens[role]}"},
        ) as response:
            assert response.status == status, (response.status, await response.text())
            return await response.json(content_type=None) if response.status != 204 else None


async def give_key(pool: asyncpg.Pool, account_id: str = ACCOUNT) -> None:
    """Of its CRM, as a person would have connected it."""
    async with pool.acquire() as conn:
        await store_long_lived_token(conn, account_id, "key", None)


async def add_effect(pool: asyncpg.Pool, key: str, *, state: str = "waiting", **more: Any) -> None:
    """One effect of the account, as the matrix would have ordered it."""
    columns: dict[str, Any] = {
        "account_id": ACCOUNT,
        "effect_key": key,
        "decision_id": "d1",
        "client": "+79161234567",
        "lane": 1,
        "what": "create_task",
        '"order"': {
            "do": "create_task",
            "target": None,
            "owner_id": "1",
            "text": "Перезвонить",
            "due_at": "2026-03-02T12:00:00Z",
        },
        "state": state,
        **more,
    }
    names = ", ".join(columns)
    places = ", ".join(f"${i}" for i in range(1, len(columns) + 1))
    await pool.execute(f"INSERT INTO effect ({names}) VALUES ({places})", *columns.values())
