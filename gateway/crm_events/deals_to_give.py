"""Deals that come into a stage are given as the template there says; whoever gives one by hand meanwhile has the last word."""

from __future__ import annotations

from datetime import timedelta

from gateway.crm_events.job import Consumer
from gateway.distribution.afterwards import overridden
from gateway.distribution.give import Giver
from gateway.store.crm_events.work import EventRow
from gateway.store.distribution import entries, items
from gateway.store.distribution.afterwards import CONSUMER, first_stage, stage_of
from gateway.store.distribution.items import NewItem
from gateway.store.distribution.templates import Attachment, attachment_at
from runtime.database.pool import Conn

NAME = CONSUMER
_SKEW = timedelta(minutes=1)
"""The CRM's clock and ours may differ, and it tells whole seconds."""


def give_deals(giver: Giver) -> Consumer:
    async def consume(conn: Conn, event: EventRow) -> None:
        if event.kind != "deal":
            return
        if event.aspect in ("stage", "deleted"):
            await items.look_at_deal(
                conn, event.account_id, event.entity_id
            )  # there may be nothing to give any more
        if event.aspect in ("stage", "added"):
            await _came_in(conn, giver, event)
        elif event.aspect == "responsible" and event.new:
            await overridden(conn, event)

    return consume


async def _came_in(conn: Conn, giver: Giver, event: EventRow) -> None:
    is_new = event.aspect == "added"
    stage = await first_stage(conn, event.account_id, event.entity_id) if is_new else stage_of(event.new)
    attached = await attachment_at(conn, event.account_id, *stage) if stage else None
    if attached is None or stage is None or not _is_for(attached, event):
        return
    since = event.at - _SKEW
    if await entries.bind_event(conn, event.account_id, event.entity_id, stage, event.event_id, since):
        return
    new = NewItem(
        template=attached.template,
        entity_id=event.entity_id,
        source="event",
        entered_at=event.at,
        pipeline_id=stage[0],
        stage_id=stage[1],
        event_id=event.event_id,
    )
    item_id = await entries.add_entry(conn, event.account_id, new)
    if item_id and not await items.is_any_waiting(conn, event.account_id, attached.template, item_id):
        await giver.give(conn, event.account_id, item_id, waits=False)


def _is_for(attached: Attachment, event: EventRow) -> bool:
    is_wanted = attached.created if event.aspect == "added" else attached.entered
    return is_wanted and (attached.since is None or event.at >= attached.since - _SKEW)
