"""The queue of clients' jobs: Procrastinate's workers, and the sweep that makes correctness independent of them.

Jobs are enqueued inside the inbox's own transaction. Each carries the lock of its client, so that one runs at a time;
none carries a `queueing_lock` (its duplicate would abort that transaction) or a time to wait for (a job that waits would
hold back all later ones of its lock): what is due later stands in `call.due_at` and is enqueued by the sweep.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException

from gateway.calls.client_job import ClientJob
from gateway.calls.context import Clock
from gateway.calls.overdue import OverdueClients
from gateway.store.intake import inbox, jobs
from gateway.store.intake.jobs import QUEUE, TASK
from runtime.backoff import Backoff
from runtime.cancellation import sleep_unless_cancelled
from runtime.database import locks
from runtime.database.errors import DATABASE_ERRORS, may_pass
from runtime.database.pool import Conn, database_now
from runtime.masking import mask_error
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

# A worker that was killed shows by its heartbeat; its job's lock blocks the client until then.
STALLED_SECONDS = 8.0
# Longer than any job may take (the pool's command timeout is 60 s): its outcome could not be written down.
_LOST_SECONDS = 120
POLLING_SECONDS = 0.1
# What runs when the process is to end may end by itself; a supervisor waits for 40 s (runtime/supervisor.py).
_END_SECONDS = 6.0
# A worker that ran for so long works.
_WORKS_SECONDS = 5.0

# Its statements have no time limit of their own: one to a server that vanished would wait for a quarter of an hour.
_NOTICES_A_LOST_SERVER = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # ms
}

QUEUE_ERRORS = (*DATABASE_ERRORS, psycopg.Error, ProcrastinateException)
"""The same through Procrastinate, which has a driver of its own."""


def connections_of_queue(concurrency: int) -> int:
    """How many the queue takes at most besides the pool: it is asked between jobs only."""
    return max(3, min(concurrency, 5))


@dataclass(slots=True)
class JobsStatus:
    """For the metrics, since the start of this process. lag_seconds: age of the oldest message not applied."""

    done: int = 0
    failed: int = 0
    revived: int = 0
    swept: int = 0
    pending: int = 0
    lag_seconds: float = 0.0
    last_success: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None

    def fail(self, err: BaseException) -> None:
        self.last_error = mask_error(err)
        self.last_error_at = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TaskKind:
    """Another kind of job of this queue. run: with the account and what is worked on. sweep: makes jobs for what is left
    without one."""

    name: str
    run: Callable[[str, str], Awaitable[object]]
    sweep: Callable[[Conn], Awaitable[object]]


class Jobs:
    """A worker of the clients' queue with its sweep. `run` until cancelled; any number of processes may.

    sweep_seconds: how exactly what is due is noticed. late_seconds: a message that is pending for so long has lost its
    job, and gets a new one. stalled_seconds: a worker without heartbeat for so long is dead, and its jobs are taken up.
    """

    def __init__(
        self,
        dsn: str,
        pool: asyncpg.Pool,
        job: ClientJob,
        *,
        concurrency: int = 8,
        sweep_seconds: float = 0.5,
        late_seconds: float = 15.0,
        stalled_seconds: float = STALLED_SECONDS,
        now: Clock | None = None,
        more: Sequence[TaskKind] = (),
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._job = job
        self._concurrency = concurrency
        self._sweep_seconds = sweep_seconds
        self._late_seconds = late_seconds
        self._stalled_seconds = stalled_seconds
        self._now = now
        self.status = JobsStatus()
        self._trouble = Trouble("client-jobs")
        self._more = more
        self._overdue = OverdueClients()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_work(), name="client jobs")
            group.create_task(self._run_sweep(), name="client sweep")

    async def _run_work(self) -> None:
        """Procrastinate's worker ends when the database goes away: it is started again."""
        backoff = Backoff(0.2, 5.0, steady_seconds=30)
        trouble = Trouble("job-worker")
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            works = loop.call_later(_WORKS_SECONDS, trouble.recovered)
            try:
                await self._work()
                trouble.failed("it ended")
            except QUEUE_ERRORS as err:
                self.status.fail(err)
                trouble.failed(err)
            finally:
                works.cancel()
            await sleep_unless_cancelled(backoff.failed(loop.time() - began))

    async def _work(self) -> None:
        """Of its own task: while it ends in good order it waits for a database that may be away, and what comes of that
        would take our cancellation's place."""
        serving = asyncio.create_task(self._serve_queue(), name="client queue")
        try:
            await asyncio.wait({serving})
        finally:
            patience = _END_SECONDS
            while not serving.done():
                serving.cancel()
                await asyncio.wait({serving}, timeout=patience)
                patience = 1.0
            failed = None if serving.cancelled() else serving.exception()
        if failed:
            raise failed

    async def _serve_queue(self) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._dsn,
            min_size=1,
            max_size=connections_of_queue(self._concurrency),
            timeout=10,
            kwargs={"application_name": "callmatrix jobs", **_NOTICES_A_LOST_SERVER},
            configure=jobs.configure_session,
        )
        app = procrastinate.App(connector=connector)
        app.task(name=TASK, queue=QUEUE)(self._process)
        for kind in self._more:
            app.task(name=kind.name, queue=QUEUE)(self._task_of(kind))
        try:
            async with app.open_async():
                await app.run_worker_async(
                    queues=[QUEUE],
                    name=QUEUE,
                    concurrency=self._concurrency,
                    wait=True,
                    listen_notify=True,
                    # A job that waited for its lock is announced by nothing: this bounds its delay.
                    fetch_job_polling_interval=POLLING_SECONDS,
                    shutdown_graceful_timeout=_END_SECONDS - 1,
                    # The inbox is the record of what is done; rows of finished jobs would only slow the queue down.
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._stalled_seconds / 4,
                    stalled_worker_timeout=self._stalled_seconds,
                )
        finally:  # ended while it opens, it would leave a pool behind whose tasks heed no cancellation
            await connector.close_async()

    async def _process(self, account_id: str, client_key: str) -> None:
        await self._counted(self._job.run(account_id, client_key), account=account_id, client=client_key)

    def _task_of(self, kind: TaskKind) -> Callable[..., Awaitable[None]]:
        async def task(account_id: str, subject: str) -> None:
            await self._counted(kind.run(account_id, subject), account=account_id, subject=subject)

        return task

    async def _counted(self, work: Awaitable[object], **about: str) -> None:
        try:
            await work
        except Exception as err:
            self.status.failed += 1
            self.status.fail(err)
            if may_pass(err):
                self._trouble.failed(err)
            else:
                log.exception("client-job-failed", **about)
            raise  # the sweep enqueues the client again
        self._trouble.recovered()
        self.status.done += 1

    async def _run_sweep(self) -> None:
        trouble = Trouble("sweep")
        while True:
            try:
                await self.sweep()
                self.status.last_success = datetime.now(UTC)
                trouble.recovered()
            except QUEUE_ERRORS as err:
                self.status.fail(err)
                trouble.failed(err)
                await sleep_unless_cancelled(1)
            await sleep_unless_cancelled(self._sweep_seconds)

    async def sweep(self) -> int:
        """Enqueues every client who has something due or overdue, revives jobs of dead workers. How many clients."""
        async with self._pool.acquire() as conn, conn.transaction():
            if not await locks.try_take(conn, locks.CLIENT_SWEEP):
                return 0  # another process sweeps right now
            now = self._now() if self._now is not None else await database_now(conn)
            revived = await jobs.revive(
                conn, stalled=timedelta(seconds=self._stalled_seconds), lost=timedelta(seconds=_LOST_SECONDS)
            )
            clients = await inbox.overdue(
                conn,
                received_before=now - timedelta(seconds=self._late_seconds),
                now=now,
                left_alone=self._overdue.left_alone(now),
            )
            await inbox.enqueue(conn, clients)
            self._overdue.found(clients, now)
            for kind in self._more:
                await kind.sweep(conn)
            self.status.pending, self.status.lag_seconds = await inbox.backlog(conn)
        self.status.revived += revived
        self.status.swept += len(clients)
        return len(clients)

    async def drain(self, seconds: float = 30.0) -> bool:
        """Wait until nothing is pending and no job waits or runs; for tests and orderly ends. False: it took too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await jobs.is_busy(self._pool):  # noqa: ASYNC110 - a table tells no event
                    await asyncio.sleep(0.02)
                return True
        return False
