"""Loading an account's directory on demand: the account's worker is asked; where none runs, it is done here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from crm.store.cursors import feed_states, read_cursor
from crm.store.entries import directory_states
from crm.sync.first_load import FEED, LoadProgress, load_progress, restart_load
from crm.sync.sync import Sync
from gateway.crm_accounts.access import crm_of
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, record
from runtime.database import channels
from runtime.database.lease import Lease, Leases
from runtime.database.pool import Conn

_LOOK_SECONDS = 0.2
_ASK_AGAIN_SECONDS = 3.0


class AccountIsOff(Exception):
    """Nothing is read from the CRM of an account that is switched off. Switch it on: `callmatrix account on`."""

    code = "account-off"


class SyncFailed(Exception):
    """The CRM could not be read. remedy: what to do about it."""

    code = "sync-failed"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgress:
    """done: entities read so far. kind: what is being read, None when over. error: what the load met last, None = nothing.
    total, seconds_left: about; None where the load is short or not known yet. loaded_at: end of the latest complete load. in_sync_at: when directory and CRM last agreed."""

    done: int
    kind: str | None
    is_done: bool
    loaded_at: datetime | None
    in_sync_at: datetime | None
    error: str | None
    total: int | None = None
    seconds_left: float | None = None


async def sync_progress(conn: Conn, account_id: str) -> SyncProgress:
    progress = await load_progress(conn, account_id)
    state = next(iter(await directory_states(conn, [account_id])), None)
    feed = next((f for f in await feed_states(conn, account_id) if f.feed == FEED), None)
    return SyncProgress(
        done=progress.done,
        kind=progress.kind,
        is_done=progress.is_done,
        loaded_at=state.loaded_at if state else None,
        in_sync_at=state.in_sync_at if state else None,
        error=feed.last_error if feed else None,
        total=progress.total,
        seconds_left=progress.seconds_left,
    )


async def ask_for_sync(conn: Conn, account_id: str, *, is_full: bool) -> SyncProgress:
    """Wakes the account's worker. is_full: everything is read again from the first page; the directory keeps answering
    meanwhile. Raises AccountIsOff, NoSuchAccount."""
    if (await rows.account(conn, account_id)).state == "off":
        raise AccountIsOff(account_id)
    async with conn.transaction():
        if is_full:
            await _restart(conn, account_id)
        await wake(conn, account_id)
        action = "load begun anew" if is_full else "load asked for"
        await record(
            conn,
            AuditChange(what="directory", object=account_id, action=action, account_id=account_id, after={}),
        )
    return await sync_progress(conn, account_id)


async def wake(conn: Conn, account_id: str) -> None:
    await channels.notify(conn, channels.LOAD_DIRECTORY, account_id)


async def _restart(conn: Conn, account_id: str) -> None:
    async with conn.transaction():
        await restart_load(conn, account_id)


async def sync_account(
    settings: Settings,
    pool: asyncpg.Pool,
    account_id: str,
    *,
    is_full: bool,
    say: Callable[[SyncProgress], None],
) -> Literal["worker", "here"]:
    """Until the directory is loaded; who did it. say: told the progress. Raises AccountIsOff, NoSuchAccount, SyncFailed."""
    async with pool.acquire() as conn:
        before = await read_cursor(conn, account_id, FEED)
        await ask_for_sync(conn, account_id, is_full=is_full)
    lease = Leases(str(settings.database_url)).of(account_id)
    if await lease.try_acquire():
        try:
            await _load_here(settings, pool, account_id, lease, say)
        finally:
            await lease.release()
        return "here"
    await _follow_worker(pool, account_id, before if is_full else {}, say)
    return "worker"


async def _load_here(
    settings: Settings,
    pool: asyncpg.Pool,
    account_id: str,
    lease: Lease,
    say: Callable[[SyncProgress], None],
) -> None:
    async with crm_of(pool, account_id, lease, settings.named_crm_hosts()) as (opened, policy):
        sync = Sync(opened.crm, pool, account_id, policy)

        def told(progress: LoadProgress) -> None:
            say(
                SyncProgress(
                    done=progress.done,
                    kind=progress.kind,
                    is_done=progress.is_done,
                    loaded_at=None,
                    in_sync_at=None,
                    error=None,
                    total=progress.total,
                    seconds_left=progress.seconds_left,
                )
            )

        await sync.load(told)
        await sync.poll_once()


async def _follow_worker(
    pool: asyncpg.Pool, account_id: str, before: dict[str, Any], say: Callable[[SyncProgress], None]
) -> None:
    """before: the load's place before it was asked to begin again. A page under way then may write it once more."""
    asked = asyncio.get_running_loop().time()
    while True:
        async with pool.acquire() as conn:
            cursor = await read_cursor(conn, account_id, FEED)
            if cursor and before and cursor.get("began") == before.get("began"):
                await _restart(conn, account_id)
                await wake(conn, account_id)
                cursor = {}
            progress = await sync_progress(conn, account_id)
            if not progress.is_done and asyncio.get_running_loop().time() - asked > _ASK_AGAIN_SECONDS:
                asked = asyncio.get_running_loop().time()
                await wake(conn, account_id)
            state = (await rows.account(conn, account_id)).state
        say(progress)
        if progress.is_done and cursor:
            return
        if state != "on":
            raise SyncFailed(
                f"account '{account_id}' is {state}", "see 'callmatrix check'; the load goes on afterwards"
            )
        await asyncio.sleep(_LOOK_SECONDS)
