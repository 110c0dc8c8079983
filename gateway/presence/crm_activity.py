"""The CRM's feed as presence: read every half minute, and what people did there becomes their signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from crm.doings import CrmDoing, DoingFeed
from crm.errors import CrmError
from crm.lane import Lane
from crm.sync.feed import Feed
from gateway.configuration import Configuration
from gateway.presence.crm_signs import OWN_WRITE_SECONDS, by_our_clock, ours_left_out, signs_of
from gateway.store.presence import attendance as rows
from gateway.store.presence import watches as store
from routing.attendance.look import is_worth_keeping
from routing.attendance.machine import first_seen, notice
from routing.attendance.model import Sign
from routing.settings import PresencePolicy
from runtime.database.pool import Conn

FEED = "presence"
_OVERLAP = timedelta(minutes=5)
"""An event may appear in the feed so late, and clocks may differ so much."""
_LEAST_WINDOW = timedelta(minutes=15)
_MOST_PAGES = 20
"""Newest first: what lies behind them is older than what everybody has done since."""


class CrmActivity:
    """Reads for all accounts of a worker; each in the process that holds the account's lease."""

    def __init__(self, pool: asyncpg.Pool, configuration: Configuration) -> None:
        self._pool, self._configuration = pool, configuration

    def feed(
        self, account_id: str, crm: DoingFeed, offset: Callable[[], float | None], seconds: float
    ) -> Feed:
        """offset: the CRM's clock minus ours, None = not known."""

        async def step() -> None:
            await self.read(account_id, crm, offset)

        return Feed(FEED, seconds, step)

    async def read(
        self,
        account_id: str,
        crm: DoingFeed,
        offset: Callable[[], float | None],
        now: datetime | None = None,
    ) -> None:
        """Read what is new once, if the account wants it. Raises CrmError, and then nobody is taken off."""
        account = self._configuration.now.accounts.get(account_id)
        policy = account.settings.presence if account else PresencePolicy()
        if not policy.is_on or "crm" not in policy.sources:
            return
        now = now or datetime.now(UTC)
        try:
            doings = await self._doings(account_id, crm, policy, now + timedelta(seconds=offset() or 0.0))
        except CrmError as err:
            async with self._pool.acquire() as conn:
                await store.note_feed_failed(conn, account_id, f"{err.code}: {err}")
            raise
        newest = max((one.at for one in doings), default=None)
        await self._take_in(account_id, by_our_clock(doings, offset()), newest, policy, now)

    async def _doings(
        self, account_id: str, crm: DoingFeed, policy: PresencePolicy, crm_now: datetime
    ) -> list[CrmDoing]:
        """Each once: pages slide while new events come in. What is older than any silence that counts is not asked for."""
        async with self._pool.acquire() as conn:
            newest = await store.feed_newest(conn, account_id)
        window = max(timedelta(minutes=policy.idle_minutes or 0), _LEAST_WINDOW) + _OVERLAP
        since = max(newest - _OVERLAP, crm_now - window) if newest else crm_now - window
        found: dict[str, CrmDoing] = {}
        for number in range(1, _MOST_PAGES + 1):
            page = await crm.doings(since, Lane.SYNC, page=number)
            found |= {one.id: one for one in page.items}
            if not page.has_next:
                break
        return list(found.values())

    async def _take_in(
        self,
        account_id: str,
        doings: Sequence[CrmDoing],
        newest: datetime | None,
        policy: PresencePolicy,
        now: datetime,
    ) -> None:
        staff = self._configuration.now.staff[account_id]
        async with self._pool.acquire() as conn, conn.transaction():
            if doings:
                doings = ours_left_out(doings, await _own_writes(conn, account_id, doings))
            users = signs_of(doings, policy.integration_users, policy.burst)
            signs = {
                p.id: Sign("crm", at) for user, at in users.items() if (p := staff.by_crm_user.get(user))
            }
            heard_at = min(max(users.values()), now) if users else None
            # The watch's row before those of people, as whoever looks at them locks them.
            await store.note_feed_read(conn, account_id, now, heard_at, newest)
            await keep_signs(conn, account_id, signs, policy, now)


async def _own_writes(conn: Conn, account_id: str, doings: Sequence[CrmDoing]) -> Sequence[store.OwnWrite]:
    times = [one.at for one in doings]
    margin = timedelta(seconds=2 * OWN_WRITE_SECONDS)
    return await store.own_writes(conn, account_id, min(times) - margin, max(times) + margin)


async def keep_signs(
    conn: Conn, account_id: str, signs: Mapping[str, Sign], policy: PresencePolicy, now: datetime
) -> None:
    """Take in one sign each of these employees, in the caller's transaction."""
    known = await rows.attendances(conn, account_id, signs.keys(), lock=True) if signs else {}
    for employee_id, sign in sorted(signs.items()):
        before = known.get(employee_id)
        after = notice(before or first_seen(now), sign, policy, now)
        if before is None or is_worth_keeping(before, after):
            await rows.save(conn, account_id, employee_id, before, after, now)
