"""Items whose number was in the campaign already end as that one does, each with what its own trigger wants."""

from __future__ import annotations

from typing import cast

from gateway.outbound.ending import end_with_effects
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns.linked import links_to_settle
from gateway.store.outbound.items import EndState, lock
from runtime.database.pool import Conn, database_now

_TOGETHER = 200


async def settle_links(conn: Conn) -> int:
    """End some, within a transaction; how many."""
    found = await links_to_settle(conn, _TOGETHER)
    for link in found:
        item = await lock(conn, link.account_id, link.item_id)
        if item is not None:
            staff = await staff_of(conn, link.account_id)
            state, now = cast(EndState, link.state), await database_now(conn)
            await end_with_effects(conn, staff, item, state, link.reason, now)
    return len(found)
