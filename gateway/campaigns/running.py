"""Every second: what was planned begins, who was added comes in, whose turn it is goes to the dialler, what is done ends."""

from __future__ import annotations

import asyncpg
import structlog

from campaigns.states import after_look
from gateway.campaigns.linked import settle_links
from gateway.campaigns.taking_in import PolicyOf, take_in
from gateway.store.campaigns import adding, campaigns, turns
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.members import clear_held
from runtime.database.errors import may_pass
from runtime.database.pool import database_now
from runtime.loops import Loop
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
_TOGETHER = 500


class Campaigns:
    """`loop` until cancelled; any number of workers. policy_of: an account's rules of numbers, by its id."""

    def __init__(self, pool: asyncpg.Pool, policy_of: PolicyOf) -> None:
        self._pool, self._policy_of = pool, policy_of
        self._trouble = Trouble("campaigns")
        self.loop = Loop("campaigns", self.look, EVERY_SECONDS)

    async def look(self) -> None:
        """One campaign's trouble holds up no other."""
        await self.take_in_all()
        async with self._pool.acquire() as conn, conn.transaction():
            await settle_links(conn)
        async with self._pool.acquire() as conn:
            found = await campaigns.at_work(conn)
        failed = False
        for row in found:
            try:
                await self.attend(row)
            except Exception as err:
                if may_pass(err):
                    raise
                failed = True
                self._trouble.failed(err, is_mistake=True)
        if not failed:
            self._trouble.recovered()

    async def take_in_all(self) -> int:
        """Take in whatever waits for it; how many."""
        async with self._pool.acquire() as conn:
            waiting = await adding.items_to_add(conn, _TOGETHER)
        taken = 0
        for account_id, item_id in waiting:
            if (policy := self._policy_of(account_id)) is None:
                continue
            async with self._pool.acquire() as conn, conn.transaction():
                taken += await take_in(conn, account_id, item_id, policy)
        return taken

    async def attend(self, seen: CampaignRow) -> None:
        """Let one go on by itself as far as it can."""
        async with self._pool.acquire() as conn, conn.transaction():
            row = await campaigns.lock_campaign(conn, seen.account_id, seen.name)
            if row is None or row.state not in ("planned", "running", "stopping"):
                return
            if row.state == "stopping":
                await clear_held(conn, row, "campaign_finished", tried_too=row.reason == "finished_by_hand")
            step = after_look(
                row.step,
                await campaigns.load_of(conn, row),
                is_endless=row.settings.endless,
                starts_at=row.starts_at,
                now=await database_now(conn),
            )
            if step != row.step:
                row = await campaigns.move(conn, row, step)
                log.info("campaign-moved", account=row.account_id, campaign=row.name, state=row.state)
            if row.state in ("running", "stopping"):
                await turns.fill(conn, row)
