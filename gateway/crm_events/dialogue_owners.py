"""A dialogue of a channel that hands out by a template is whose its deal is: whoever gives the deal on gives the dialogue on."""

from __future__ import annotations

from gateway.crm_events.job import Consumer
from gateway.store.admin.staff import staff_of
from gateway.store.channels.handouts import follow_deal
from gateway.store.crm_events.work import EventRow
from runtime.database.pool import Conn

NAME = "dialogue_owners"


def follow_deal_owners() -> Consumer:
    async def consume(conn: Conn, event: EventRow) -> None:
        if event.kind != "deal" or event.aspect != "responsible" or not event.new:
            return
        staff = await staff_of(conn, event.account_id)
        person = staff.by_crm_user.get(event.new)
        if person is not None and staff.can_be_given_work(person):
            await follow_deal(
                conn, event.account_id, event.entity_id, person.id, event.at, is_ours=event.is_ours
            )

    return consume
