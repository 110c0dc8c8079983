"""Deals that chats made are handed out by the template that their channel names, as deals of the CRM are.

The CRM's feed passes over what we made ourselves, so these deals are put among those that are to be given (gateway/distribution)
by hand: each once, as soon as the directory has it. Who waits longer is given first.
"""

from __future__ import annotations

import asyncpg

from gateway.store.channels.handouts import DueHandout, bind_handout, due_handouts
from gateway.store.distribution.items import NewItem, add_item, item_id_of
from runtime.loops import Loop

_EVERY_SECONDS = 1.0
_AT_ONCE = 200


class ChatHandouts:
    """`loop` until cancelled, in any number of processes."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.loop = Loop("chat_handouts", self.turn, _EVERY_SECONDS)

    async def turn(self) -> int:
        """How many were put among what is to be given."""
        async with self._pool.acquire() as conn, conn.transaction():
            due = await due_handouts(conn, _AT_ONCE)
            for one in due:
                new = _item(one)
                await add_item(conn, one.account_id, new)
                await bind_handout(conn, one, item_id_of(one.account_id, new))
        return len(due)


def _item(due: DueHandout) -> NewItem:
    return NewItem(
        template=due.template,
        entity_id=due.deal_id,
        source="chat",
        entered_at=due.asked_at,
        pipeline_id=due.pipeline_id,
        stage_id=due.stage_id,
        key=due.key,
    )
