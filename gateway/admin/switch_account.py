"""Switching an account on and off. Off: calls are answered, decided and stored; nothing is sent."""

from __future__ import annotations

from typing import Literal

from crm.effects.order import hold
from gateway.store.admin import accounts as rows
from runtime.database.pool import Conn


async def switch(conn: Conn, account_id: str, state: Literal["on", "off"], reason: str = "") -> int:
    """How many effects that waited are held now; a reactivation decides on them. Raises NoSuchAccount."""
    async with conn.transaction():
        await rows.set_account_state(conn, account_id, state, reason)
        return await hold(conn, account_id) if state == "off" else 0
