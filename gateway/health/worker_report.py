"""What a worker process tells of itself, so that every other process can show it."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.store.crm_accounts.exchanges import report
from gateway.store.health.status import forget_reports
from runtime.loops import Loop

if TYPE_CHECKING:
    from gateway.worker.worker import Worker

PREFIX = "worker:"
INSTALLATION = ""
"""Stands for the account in reports that are of no account."""

EVERY_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""A report older than this is of a process that is gone or stuck."""


def report_loop(worker: Worker) -> Loop:
    name = f"{PREFIX}{socket.gethostname()}-{os.getpid()}"
    started_at = datetime.now(UTC)

    async def tell() -> None:
        async with worker.pool.acquire() as conn:
            await report(conn, INSTALLATION, name, {"started_at": started_at, **figures(worker)})
            await forget_reports(conn, PREFIX)

    return Loop("report", tell, EVERY_SECONDS)


def figures(worker: Worker) -> dict[str, Any]:
    """loops: what runs in the background, each with its latest success and what it met at its latest failure."""
    return {
        "jobs": worker.jobs.status,
        "loops": {
            "jobs": _loop(worker.jobs.status.last_success, None),
            **{loop.name: _loop(loop.last_success, loop.last_error) for loop in worker.loops},
        },
        "exchanges_lost": worker.exchanges.lost,
        "configuration_heard": worker.configuration.listener.is_connected,
    }


def _loop(last_success: datetime | None, error: str | None) -> dict[str, Any]:
    return {"last_success": last_success, "error": error}
