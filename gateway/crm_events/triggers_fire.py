"""Changes of deals, and what clients write, are causes for triggers: our own moves too, for they may be another's cause."""

from __future__ import annotations

from gateway.crm_events.job import Consumer
from gateway.store.crm_events.work import EventRow
from gateway.triggers.firing import fire_on_event
from runtime.database.pool import Conn

NAME = "triggers"


def fire_triggers() -> Consumer:
    async def consume(conn: Conn, event: EventRow) -> None:
        await fire_on_event(conn, event.account_id, event.kind, event.entity_id, event, event.at)

    return consume
