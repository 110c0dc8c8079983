"""A stage with deals, and a provider of SMS: what triggers and texts speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from gateway.store.sms.connections import add_sms_connection
from routing.settings import NumberPolicy
from sms.port import SmsConnection
from tests.integration.api.client import ACCOUNT
from tests.integration.web.catalogues import read_catalogues

BEGAN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


async def open_shop(pool: asyncpg.Pool) -> None:
    await read_catalogues(pool)
    async with pool.acquire() as conn, conn.transaction():
        connection = SmsConnection(account_id=ACCOUNT, id="texts", name="texts", kind="sandbox")
        await add_sms_connection(conn, connection, sender=None, report_secret="s")


async def deal(pool: asyncpg.Pool, id: str, number: str | None, client: str = "Olga", **fields: Any) -> None:
    """One of Anna's in the stage 11, the later the greater its id."""
    at = BEGAN + timedelta(minutes=int(id))
    contact = CrmEntity(
        kind="contact", id=f"7{id}", name=client, numbers=(number,) if number else (), updated_at=at
    )
    values: dict[str, Any] = {"pipeline_id": "1", "stage_id": "11", "owner_id": "11", "name": f"Deal {id}"}
    one = CrmEntity(
        kind="deal", id=id, created_at=at, updated_at=at, contact_ids=(contact.id,), main_contact_id=contact.id,
        **{**values, **fields},
    )  # fmt: skip
    async with pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, ACCOUNT, [contact, one], NumberPolicy())


def sms_form(**changes: Any) -> dict[str, Any]:
    values = {
        "do": "sms",
        "name": "ready",
        "place": "1:11",
        "e0.on": "entered",
        "template": "{{ maincontact.first_name }}, your order {{ deal.name }} is ready",
        "provider": "texts",
        "to_client": "on",
        "max_parts": "4",
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def call_form(**changes: Any) -> dict[str, Any]:
    values = {
        "do": "callback",
        "name": "call",
        "place": "1:11",
        "e0.on": "entered",
        "target": "responsible",
        "connection": "office",
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not None}
