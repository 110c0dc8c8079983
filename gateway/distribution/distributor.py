"""The worker's loop of distribution: what is due is given, the oldest first; what was given is looked after; deals that nobody
told of are found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter

import asyncpg
import structlog

from gateway.distribution.afterwards import is_refused, look_whether_taken, order_ended
from gateway.distribution.give import Giver
from gateway.distribution.handout import FOR_ALL, waits_for_somebody
from gateway.store.distribution import afterwards, items
from gateway.store.distribution.afterwards import EndedOrder
from gateway.store.distribution.entries import add_entry
from gateway.store.distribution.items import ItemRow, ItemState, NewItem
from runtime.database import locks
from runtime.database.errors import may_pass, storable
from runtime.database.pool import Conn, database_now
from runtime.loops import Loop
from runtime.masking import mask_error

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
SWEEP_SECONDS = 120.0
_AT_ONCE = 500
_PAUSES = tuple(timedelta(seconds=s) for s in (2, 10, 60, 300))
_UNTOLD_AFTER = timedelta(minutes=2)
_PUT_OFF = timedelta(seconds=30)
_IN_A_ROW = 50
"""So many are given in one transaction, which holds their template for that long."""

_NO_HOURS: Mapping[str, object] = {}

Due = tuple[str, str, str, ItemState]
"""(account, template, item, state)"""


@dataclass(slots=True)
class DistributorStatus:
    """Since the start of this process. untold: deals that only the sweep found."""

    looked_at: int = 0
    failed: int = 0
    untold: int = 0


class Distributor:
    """`loop` and `sweep_loop` until cancelled, in any number of processes. hours_of_accounts: by account what its hours are
    made of, as this process knows them; another object is other hours."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        giver: Giver,
        hours_of_accounts: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self._pool = pool
        self._giver = giver
        self._hours_of_accounts, self._hours = hours_of_accounts, _NO_HOURS
        self.status = DistributorStatus()
        self.loop = Loop("distribution", self.turn, EVERY_SECONDS)
        self.sweep_loop = Loop("distribution_sweep", self.sweep, SWEEP_SECONDS)

    async def turn(self) -> None:
        await self._look_again()
        await self.look_after_orders()
        async with self._pool.acquire() as conn:
            due = await items.due_items(conn, _AT_ONCE)
        for _, of_template in groupby(due, key=itemgetter(0, 1)):
            await self._of_template(list(of_template))

    async def _look_again(self) -> None:
        """Look at once at what waits for hours that are not what they were."""
        hours = self._hours_of_accounts()
        changed = [id for id, now in hours.items() if self._hours.get(id) is not now]
        if changed:
            async with self._pool.acquire() as conn:
                await items.look_again(conn, changed)
        self._hours = hours

    async def look_after_orders(self) -> None:
        async with self._pool.acquire() as conn:
            ended = await afterwards.ended_orders(conn, _AT_ONCE)
            for account_id, written in groupby(
                (e for e in ended if not is_refused(e)), key=lambda e: e.account_id
            ):
                await afterwards.mark_written(conn, account_id, [e.item_id for e in written])
        for one in ended:
            if is_refused(one):
                await self._alone(one.account_id, one.item_id, partial(self._refused, one))

    async def _refused(self, ended: EndedOrder, conn: Conn) -> None:
        await order_ended(conn, self._giver, ended)

    async def _of_template(self, due: Sequence[Due]) -> None:
        """One process at a time, so that the oldest goes first."""
        account_id, template = due[0][:2]
        async with self._pool.acquire() as conn, conn.transaction():
            if not await locks.try_take(conn, locks.distribution(account_id, template)):
                return
            for _, _, item_id, state in due:
                if state == "given":
                    look = partial(
                        look_whether_taken, giver=self._giver, account_id=account_id, item_id=item_id
                    )
                    await self._alone(account_id, item_id, look)
            to_give = [item_id for _, _, item_id, state in due if state != "given"]
            for start in range(0, len(to_give), _IN_A_ROW):
                if not await self._give(account_id, template, to_give[start : start + _IN_A_ROW]):
                    return

    async def _give(self, account_id: str, template: str, item_ids: Sequence[str]) -> bool:
        """Give them together; one that fails is given alone, so that it stops none of the others. Whether those behind them
        need not wait too."""
        self.status.looked_at += len(item_ids)
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                given = await self._giver.give_all(conn, account_id, item_ids)
        except Exception as err:
            if may_pass(err):
                raise
            return await self._give_one_by_one(account_id, template, item_ids)
        return await self._goes_on(account_id, template, given)

    async def _give_one_by_one(self, account_id: str, template: str, item_ids: Sequence[str]) -> bool:
        for item_id in item_ids:
            item = await self._alone(account_id, item_id, partial(self._given, account_id, item_id))
            if isinstance(item, ItemRow) and not await self._goes_on(account_id, template, [item]):
                return False
        return True

    async def _given(self, account_id: str, item_id: str, conn: Conn) -> ItemRow | None:
        return await self._giver.give(conn, account_id, item_id)

    async def _goes_on(self, account_id: str, template: str, given: Sequence[ItemRow]) -> bool:
        """Whether nothing of this waits for somebody; else all that waits for the same is put off."""
        async with self._pool.acquire() as conn:
            now = await database_now(conn)
            stopped = next((item for item in given if waits_for_somebody(item, now)), None)
            if stopped is not None and stopped.reason in FOR_ALL:
                await items.put_off_alike(conn, account_id, template, stopped.reason, now + _PUT_OFF)
        return stopped is None

    async def _alone(
        self, account_id: str, item_id: str, work: Callable[[Conn], Awaitable[object]]
    ) -> object:
        """In a transaction of its own: what fails costs none of the others, and is tried again ever later."""
        self.status.looked_at += 1
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                return await work(conn)
        except Exception as err:
            if may_pass(err):
                raise
            self.status.failed += 1
            log.error("distribution-failed", account=account_id, item=item_id, exc_info=err)
            async with self._pool.acquire() as conn:
                error = storable(mask_error(err))
                await items.item_failed(conn, account_id, item_id, error, _PAUSES)
            return None

    async def sweep(self) -> int:
        """Find deals that came into an attached stage and that nobody told of; how many. One process at a time looks."""
        async with self._pool.acquire() as conn, conn.transaction():
            if not await locks.try_take(conn, locks.DISTRIBUTION_SWEEP):
                return 0
            found = await afterwards.untold_deals(conn, _UNTOLD_AFTER)
            for deal in found:
                new = NewItem(
                    template=deal.template,
                    entity_id=deal.deal_id,
                    source="sweep",
                    entered_at=deal.entered_at,
                    pipeline_id=deal.pipeline_id,
                    stage_id=deal.stage_id,
                    event_id=deal.event_id,
                    key=f"{deal.pipeline_id}/{deal.stage_id} {deal.entered_at.isoformat()}",
                )
                self.status.untold += await add_entry(conn, deal.account_id, new) is not None
        if found:
            self.loop.wake()
        return len(found)
