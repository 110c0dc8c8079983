"""What a worker process tells of itself, so that every other process can show it."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from gateway.store.exchanges import report
from gateway.store.status import forget_reports

if TYPE_CHECKING:
    from gateway.worker import Worker

log = structlog.get_logger(__name__)

PREFIX = "worker:"
INSTALLATION = ""
"""Stands for the account in reports that are of no account."""

EVERY_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""A report older than this is of a process that is gone or stuck."""


async def report_worker(worker: Worker) -> None:
    """Until cancelled."""
    name = f"{PREFIX}{socket.gethostname()}-{os.getpid()}"
    started_at = datetime.now(UTC)
    while True:
        try:
            async with worker.pool.acquire() as conn:
                await report(conn, INSTALLATION, name, {"started_at": started_at, **figures(worker)})
                await forget_reports(conn, PREFIX)
        except (
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            TimeoutError,
        ) as err:
            log.warning("worker-report-not-written", error=type(err).__name__)
        await asyncio.sleep(EVERY_SECONDS)


def figures(worker: Worker) -> dict[str, Any]:
    """loops: what runs in the background, each with its latest success and what it met at its latest failure."""
    return {
        "jobs": worker.jobs.status,
        "loops": {
            "jobs": _loop(worker.jobs.status.last_success, None),
            "housekeeping": _loop(worker.housekeeping.last_success, worker.housekeeping.last_error),
            "matrix_checks": _loop(worker.daily_checks.last_success, worker.daily_checks.last_error),
            "long_work": _loop(worker.long_work.last_success, worker.long_work.last_error),
        },
        "exchanges_lost": worker.exchanges.lost,
        "configuration_heard": worker.configuration.listener.is_connected,
    }


def _loop(last_success: datetime | None, error: str | None) -> dict[str, Any]:
    return {"last_success": last_success, "error": error}
