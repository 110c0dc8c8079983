"""The job of one deal, contact or task: what its consumers have still to work on, event by event.

Each event of a consumer is one transaction: what the consumer writes and the fact that it is done are committed together,
so that whatever is killed, an event is worked on once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from crm.store.news import enqueue_subjects
from gateway.store.crm_events import work as store
from gateway.store.crm_events.work import Backlog, ConsumerWork, EventRow
from runtime.database import locks
from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from runtime.masking import mask_error

log = structlog.get_logger(__name__)

_MOST_TRIES = 5
_PAUSE = timedelta(seconds=2)
_LATE = timedelta(seconds=5)

Consumer = Callable[[Conn, EventRow], Awaitable[None]]
"""Works on one event in the caller's transaction. Whoever touches a client's case takes that client's lock
(gateway.store.calls.calls.lock_client)."""


@dataclass(slots=True)
class CrmEventsStatus:
    """For the metrics. done, failed, aside: since the start of this process, by the consumer's name."""

    done: dict[str, int]
    failed: dict[str, int]
    aside: dict[str, int]
    backlog: Backlog


class CrmEventJob:
    """consumers, by name: each change once, in the order in which they were told; none of our own. followers, by name: what
    holds now, whoever changed it, so that they end with the truth whatever the order; perhaps several times. hearers, by
    name: each change once, our own too. A name that was
    never there before gets what happens from now on.

    most_tries: then an event is set aside for this consumer, and it goes on with the next one. pause: between tries.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        consumers: Mapping[str, Consumer],
        *,
        followers: Mapping[str, Consumer] | None = None,
        hearers: Mapping[str, Consumer] | None = None,
        most_tries: int = _MOST_TRIES,
        pause: timedelta = _PAUSE,
    ) -> None:
        self._pool = pool
        self._followers = followers or {}
        self._hearers = hearers or {}
        self._consumers = {**consumers, **self._followers, **self._hearers}
        self._most_tries = most_tries
        self._pause = pause
        self.status = CrmEventsStatus({}, {}, {}, Backlog())

    async def run(self, account_id: str, subject: str) -> None:
        while await self._one(account_id, subject):
            pass

    async def _one(self, account_id: str, subject: str) -> bool:
        """Whether there was something to do."""
        async with self._pool.acquire() as conn, conn.transaction():
            await locks.take(conn, locks.crm_subject(account_id, subject))
            work = await store.next_work(conn, account_id, subject, self._consumers)
            if work is None:
                return False
            await self._work(conn, work)
        return True

    async def _work(self, conn: Conn, work: ConsumerWork) -> None:
        try:
            if self._is_for(work):
                async with conn.transaction():
                    await self._consumers[work.consumer](conn, work.event)
        except Exception as err:
            if may_pass(err):
                raise
            await self._failed(conn, work, err)
            return
        await store.work_done(conn, work)
        self.status.done[work.consumer] = self.status.done.get(work.consumer, 0) + 1

    def _is_for(self, work: ConsumerWork) -> bool:
        if work.consumer in self._followers:
            return work.event.holds
        return work.consumer in self._hearers or not work.event.is_ours

    async def _failed(self, conn: Conn, work: ConsumerWork, err: Exception) -> None:
        is_aside = work.tries + 1 >= self._most_tries
        counts = self.status.aside if is_aside else self.status.failed
        counts[work.consumer] = counts.get(work.consumer, 0) + 1
        log.error(
            "crm-event-failed",
            exc_info=err,
            account=work.event.account_id,
            consumer=work.consumer,
            event_id=work.event.event_id,
            is_aside=is_aside,
        )
        error = mask_error(err)
        await store.work_failed(conn, work, error, pause=self._pause * (work.tries + 1), is_aside=is_aside)

    async def sweep(self, conn: Conn) -> int:
        """Make jobs for what is left without one: whose try has failed, or whose job was lost. How many."""
        await store.register(conn, self._consumers, self._followers)
        subjects = await store.overdue_subjects(conn, self._consumers, before=datetime.now(UTC) - _LATE)
        await enqueue_subjects(conn, subjects)
        self.status.backlog = await store.backlog(conn)
        return len(subjects)
