"""Keeps one account's directory in step with its CRM. Runs in the worker that holds the account's lease.

Every feed has an interval of its own and fails on its own: a CRM that is down makes the directory older, nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import asyncpg

from crm.entity_changes import EntityChange
from crm.errors import CrmBlocked, CrmError, CrmForbidden, CrmThrottled, CrmUnpaid
from crm.lane import Lane
from crm.port import Crm, Observed
from crm.store.cursors import clear_failure, record_failure
from crm.store.entries import directory_states, mark_in_sync
from crm.store.listing import known_refs
from crm.sync import hooks, lead_owners
from crm.sync.changes import TakenChanges, apply_webhook
from crm.sync.events import poll_events
from crm.sync.feed import Feed
from crm.sync.first_load import ORDER, PAGED, LoadProgress, load_step
from crm.sync.metadata import read_metadata
from crm.sync.polls import poll_delta, poll_rereads, poll_unsorted, retry_unread
from crm.sync.recheck import recheck_step
from crm.sync.source import READ_AT_ONCE, Source, utc_now
from crm.unread import Unread, UnreadRef
from routing.client import EntityKind
from routing.settings import NumberPolicy
from runtime.backoff import grown_pause
from runtime.cancellation import raise_if_cancelled
from runtime.circuit_breaker import CircuitBreaker
from runtime.database.errors import DATABASE_ERRORS
from runtime.trouble import Trouble

_LONGEST_PAUSE = 300.0
_DOUBT_SECONDS = 15.0  # however much is refused meanwhile
_WEBHOOK_DELAY = timedelta(seconds=5)
_SILENCE = timedelta(seconds=60)
_PAGES_WHEN_FORBIDDEN = 100  # asked again after minutes
_UNSORTED_SECONDS_PER_PAGE = 3.0  # a long list is read less often, so that it never takes much of the budget


@dataclass(slots=True)
class SyncHealth:
    """For /metrics and the status page. in_sync_at: see Directory."""

    in_sync_at: datetime | None = None
    is_loaded: bool = False
    failures: dict[str, int] = field(default_factory=dict)
    last_errors: dict[str, str] = field(default_factory=dict)


class Sync:
    """One account."""

    def __init__(
        self,
        crm: Crm,
        pool: asyncpg.Pool,
        account_id: str,
        policy: NumberPolicy,
        *,
        poll_seconds: float = 30.0,
        metadata_seconds: float = 300.0,
        recheck_seconds: float = 60.0,
        reread_seconds: float = 1.0,
        now: Callable[[], datetime] = utc_now,
        breaker: CircuitBreaker | None = None,
        webhook: str | None = None,
        webhook_seconds: float = 600.0,
        more: Sequence[Feed] = (),
    ) -> None:
        """webhook: where the CRM should tell us of changes, None = nowhere; looked after every `webhook_seconds`. more: what
        others read of this CRM, in step with the rest."""
        self._breaker = breaker
        self._webhook = webhook
        self.source = Source(crm, pool, account_id, policy, now)
        self.health = SyncHealth()
        self._delta_locks = {kind: asyncio.Lock() for kind in PAGED}
        self._delta_began: dict[EntityKind, float] = {}
        self._agreed: dict[str, datetime] = {}
        self._latest: dict[EntityKind, datetime | None] = {}  # times of change, by the CRM's clock
        self._told_at: datetime | None = None
        self._webhook_looked_at = time.monotonic()
        self._is_unsorted_forbidden = False
        self._reread_lane = Lane.EVENTS
        self._metadata_doubted_at = -_DOUBT_SECONDS
        self._key_changes = 0
        self._feeds: list[Feed] = [
            Feed("metadata", metadata_seconds, self._metadata),
            Feed("reread", reread_seconds, self._reread),
            *(Feed(f"delta:{kind}", poll_seconds, self._delta_step(kind)) for kind in PAGED),
            Feed("events", poll_seconds, self._events),
            Feed("unsorted", poll_seconds, self._unsorted),
            Feed("load", 0.0, self._load),
            Feed(lead_owners.FEED, poll_seconds, self._lead_owners),
            Feed("recheck", recheck_seconds, self._recheck),
            Feed("unread", poll_seconds, self._retry_unread),
            *([Feed(hooks.FEED, webhook_seconds, self._look_after_webhook)] if webhook else ()),
            *more,
        ]
        for feed in self._feeds:
            feed.trouble = Trouble("sync", account=account_id, feed=feed.name)
        self._record_trouble = Trouble("sync-record", account=account_id)
        self._unpaid = Trouble("sync", account=account_id)
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Until cancelled. Errors are stored with their feed, and the feed is tried again after a growing pause."""
        await self._try(self._feed("metadata"))  # it says which stages are those of Unsorted
        async with asyncio.TaskGroup() as feeds:
            for feed in self._feeds:
                feeds.create_task(self._loop(feed), name=f"sync {self.source.account_id} {feed.name}")

    async def _loop(self, feed: Feed) -> None:
        """One feed's own: none waits behind another."""
        while True:
            feed.woken.clear()
            if feed.due_at <= time.monotonic():
                await self._try(feed)
                await self._tell_agreement()
            raise_if_cancelled()
            try:
                async with asyncio.timeout(max(0.0, feed.due_at - time.monotonic())):
                    await feed.woken.wait()
            except TimeoutError:
                continue

    def wake(self, *more: str) -> None:
        """Poll now what is due soon anyway: after a webhook, or when somebody asked for a load. more: other feeds as well."""
        for feed in self._feeds:
            if feed.name in ("load", "reread", *more) and not feed.failures:
                feed.wake()

    def key_changed(self) -> None:
        """Try again now what the CRM refused for want of a good key: there may be another one. So is what it refuses just now."""
        self._key_changes += 1
        for feed in self._feeds:
            if feed.lacks_a_key:
                feed.wake()

    def doubt_metadata(self) -> None:
        """Read users, stages and fields again soon: the CRM has refused one of them."""
        feed = self._feed("metadata")
        if feed.failures or time.monotonic() - self._metadata_doubted_at < _DOUBT_SECONDS:
            return
        self._metadata_doubted_at = time.monotonic()
        feed.wake()

    async def load(self, progress: Callable[[LoadProgress], None] | None = None) -> LoadProgress:
        """Do the whole first load, or what is left of it, in the foreground. Raises CrmError; call again to go on."""
        await self._metadata()
        while True:
            state = await load_step(self.source)
            if progress:
                progress(state)
            if state.is_done:
                self.health.is_loaded = True
                return state

    async def poll_once(self, lane: Lane = Lane.SYNC) -> None:
        """Every poll once, now; the directory then agrees with the CRM, but for owners of many leads. Raises CrmError."""
        await poll_rereads(self.source, lane)
        for kind in PAGED:
            await self._delta(kind, lane)
        await self._events(lane)
        await self._unsorted(lane)
        await lead_owners.read_lead_owners(self.source, lane)
        await self._tell_agreement()

    async def catch_up(
        self, lane: Lane, kinds: Collection[EntityKind] = PAGED, *, max_age: float = 0.0
    ) -> bool:
        """Entities of these kinds as of now: a request each as a rule, none if begun within `max_age` seconds.

        True: webhooks keep up with the CRM, they had told of changes as late as those that were read. Raises CrmError:
        whoever is about to create something must not believe an old directory.
        """
        for kind in kinds:
            began = self._delta_began.get(kind)
            if began is None or time.monotonic() - began > max_age:
                await self._delta(kind, lane)
        latest = max((at for kind in kinds if (at := self._latest.get(kind))), default=None)
        return latest is not None and self._told_at is not None and latest - self._told_at <= _WEBHOOK_DELAY

    async def apply_webhooks(
        self,
        changes: Sequence[EntityChange],
        before_new: Callable[[], Awaitable[None]],
        observed: Sequence[Observed] = (),
        unread: Mapping[UnreadRef, Sequence[Unread]] = MappingProxyType({}),
    ) -> None:
        """Apply changes of what the directory knows at once, the rest after `before_new`: it may be what we are creating, and is
        told of before we know its links. observed: what the same webhooks show, for the events. unread: what of them could
        not be read; what it is about is read from the CRM."""
        if unread:
            await self._note_unread(unread)
        async with self.source.pool.acquire() as conn:
            known = await known_refs(conn, self.source.account_id, {(c.kind, c.id) for c in changes})
        new = [c for c in changes if (c.kind, c.id) not in known]
        strange = [o for o in observed if (o.kind, o.id) not in known]
        await self.apply_webhook(
            [c for c in changes if (c.kind, c.id) in known],
            [o for o in observed if (o.kind, o.id) in known],
        )
        if new or strange:
            if new or any("added" in o.is_changed for o in strange):
                await before_new()
            await self.apply_webhook(new, strange)

    async def _note_unread(self, unread: Mapping[UnreadRef, Sequence[Unread]]) -> None:
        notes = self.source.crm.unread
        for (kind, id), faults in unread.items():
            notes.tell(kind, id, faults)
            if kind in ORDER:
                notes.ask((kind, id))
        await self.source.keep_unread()
        self.wake()

    async def apply_webhook(
        self, changes: Sequence[EntityChange], observed: Sequence[Observed] = ()
    ) -> TakenChanges:
        """Apply what the webhook carries, at once; the rest is read by the next turn of `run`."""
        source = self.source
        # What was there once and is made anew may be an old message that comes again: looked up, as a change of the unknown.
        changes = [
            replace(c, what="updated") if c.what == "added" and source.is_gone((c.kind, c.id)) else c
            for c in changes
        ]
        source.heard_gone((c.kind, c.id) for c in changes if c.what == "deleted" and c.kind != "lead")
        taken = await apply_webhook(source.pool, source.account_id, changes, source.policy, observed)
        self._told_at = max((change.at for change in changes if change.at), default=self._told_at)
        if taken.to_reread:
            self.wake()
        return taken

    async def _try(self, feed: Feed) -> None:
        key_changes = self._key_changes
        try:
            await feed.step()
        except Exception as err:
            await self._failed(feed, err)
            if feed.lacks_a_key and self._key_changes != key_changes:
                feed.wake()
            return
        feed.due_at = max(feed.due_at, time.monotonic() + feed.seconds)
        if feed.failures or not feed.has_worked:
            await self._worked(feed)
        lacked_a_key = feed.lacks_a_key
        feed.failures, feed.last_error = 0, None
        if lacked_a_key:  # the key is good again: what asks seldom need not wait for its turn
            self.key_changed()
        self.health.last_errors.pop(feed.name, None)
        feed.trouble.recovered()
        if not any(error.startswith(CrmUnpaid.code) for error in self.health.last_errors.values()):
            self._unpaid.recovered()

    async def _worked(self, feed: Feed) -> None:
        """Forget what is over, also what a process before this one noted."""
        if feed.name == "unsorted" and self._is_unsorted_forbidden:
            return
        try:
            async with self.source.pool.acquire() as conn:
                await clear_failure(conn, self.source.account_id, feed.name)
            feed.has_worked = True
        except DATABASE_ERRORS as err:
            self._record_trouble.failed(err)

    async def _failed(self, feed: Feed, err: Exception) -> None:
        """Nothing ends the loop: what is not known to pass (a bug) is logged with its trace and tried again as well."""
        feed.failures += 1
        pause = grown_pause(feed.failures, max(feed.seconds, 1.0), _LONGEST_PAUSE)
        if isinstance(err, CrmThrottled) and err.retry_after:
            pause = max(pause, err.retry_after)
        if isinstance(err, CrmBlocked) and self._breaker is not None:  # it knows when to ask, and who does
            pause = max(1.0, self._breaker.wait_seconds())
        feed.due_at = time.monotonic() + pause
        code = err.code if isinstance(err, CrmError) else type(err).__name__
        feed.last_error = f"{code}: {err}"
        self.health.failures[feed.name] = self.health.failures.get(feed.name, 0) + 1
        self.health.last_errors[feed.name] = feed.last_error
        if isinstance(err, CrmUnpaid):  # of all feeds alike: said once
            self._unpaid.failed(err, is_alarm=True)
        else:
            feed.trouble.failed(err, is_mistake=not isinstance(err, (CrmError, *DATABASE_ERRORS)))
        try:
            async with self.source.pool.acquire() as conn:
                await record_failure(conn, self.source.account_id, feed.name, feed.last_error)
            self._record_trouble.recovered()
        except DATABASE_ERRORS as not_stored:
            self._record_trouble.failed(not_stored)

    def _delta_step(self, kind: EntityKind) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            await self._delta(kind, Lane.SYNC)

        return step

    async def _delta(self, kind: EntityKind, lane: Lane) -> None:
        async with self._delta_locks[kind]:
            at, began = self.source.now(), time.monotonic()
            before = self._latest.get(kind)
            latest = self._latest[kind] = await poll_delta(self.source, kind, lane)
            if before and latest and latest > before:
                self._doubt_webhook(latest)
            self._delta_began[kind] = began
            feed = self._feed(f"delta:{kind}")
            if not feed.failures:  # whoever asked for it, it need not be done again at once
                feed.due_at = began + feed.seconds
            self._agreed[f"delta:{kind}"] = at

    async def _events(self, lane: Lane = Lane.SYNC) -> None:
        at = self.source.now()
        await poll_events(self.source, lane)
        self._agreed["events"] = at

    async def _unsorted(self, lane: Lane = Lane.SYNC) -> None:
        at = self.source.now()
        self._is_unsorted_forbidden = False
        try:
            pages = await poll_unsorted(self.source, lane)
        except CrmForbidden as err:  # this user may not see Unsorted; the rest agrees all the same
            pages, self._is_unsorted_forbidden = _PAGES_WHEN_FORBIDDEN, True
            async with self.source.pool.acquire() as conn:
                await record_failure(conn, self.source.account_id, "unsorted", f"{err.code}: {err}")
        self._agreed["unsorted"] = at
        self._feed("unsorted").seconds = max(self._poll_seconds, pages * _UNSORTED_SECONDS_PER_PAGE)

    async def _reread(self) -> None:
        """Read a few at once, because somebody may wait for them; what many webhooks named, beside the polls."""
        read = await poll_rereads(self.source, self._reread_lane)
        self._reread_lane = Lane.SYNC if read >= READ_AT_ONCE else Lane.EVENTS

    async def _load(self) -> None:
        """One page a turn, so that the polls go on in between; when over, looks now and then whether to begin again."""
        if not self.health.is_loaded:
            self.health.is_loaded = await self._was_loaded()
        progress = await load_step(self.source)
        self.health.is_loaded = self.health.is_loaded or progress.is_done
        self._feed("load").seconds = self._poll_seconds if progress.is_done else 0.0

    async def _lead_owners(self) -> None:
        """While there are more, on and on: in the idle lane that keeps nobody from anything."""
        has_more = await lead_owners.read_lead_owners(self.source)
        self._feed(lead_owners.FEED).seconds = 0.0 if has_more else self._poll_seconds

    async def _was_loaded(self) -> bool:
        """Say whether there was a load before: one that was asked for again makes the directory no less complete."""
        async with self.source.pool.acquire() as conn:
            states = await directory_states(conn, [self.source.account_id])
        return any(state.loaded_at for state in states)

    async def _recheck(self) -> None:
        if self.health.is_loaded:
            await recheck_step(self.source)

    def _doubt_webhook(self, news_at: datetime) -> None:
        """Have the webhook looked at: a poll found what none has told for long; soon, once in a while."""
        is_silent = self._told_at is None or news_at - self._told_at > _SILENCE
        for feed in self._feeds:
            if feed.name == hooks.FEED and is_silent and not feed.failures:
                feed.due_at = min(feed.due_at, self._webhook_looked_at + _SILENCE.total_seconds())
                feed.woken.set()

    async def _look_after_webhook(self) -> None:
        self._webhook_looked_at = time.monotonic()
        if self._webhook is not None:
            await hooks.look_after_webhook(self.source, self._webhook, Lane.BACKFILL)

    async def _retry_unread(self) -> None:
        await retry_unread(self.source, Lane.SYNC)

    async def _metadata(self) -> None:
        await read_metadata(self.source)

    async def _tell_agreement(self) -> None:
        """Tell that the directory agreed with the CRM when the poll that lies furthest back began."""
        needed = [*(f"delta:{kind}" for kind in PAGED), "events", "unsorted"]
        if not self.health.is_loaded or any(name not in self._agreed for name in needed):
            return
        in_sync_at = min(self._agreed[name] for name in needed)
        if in_sync_at == self.health.in_sync_at:
            return
        try:
            async with self.source.pool.acquire() as conn:
                await mark_in_sync(conn, self.source.account_id, in_sync_at)
            self.health.in_sync_at = in_sync_at
            self._record_trouble.recovered()
        except DATABASE_ERRORS as err:
            self._record_trouble.failed(err)

    def _feed(self, name: str) -> Feed:
        return next(feed for feed in self._feeds if feed.name == name)
