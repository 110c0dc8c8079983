"""What a worker process tells of itself, so that every other process can show it."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Any, Protocol

import asyncpg

from gateway.calls.queue import Jobs
from gateway.configuration import Configuration
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.crm_events.job import CrmEventJob
from gateway.health.reports import INSTALLATION, PREFIX
from gateway.store.crm_accounts.exchanges import report
from gateway.store.health.status import delete_reports_of_gone_processes
from runtime.loops import Loop

EVERY_SECONDS = 2.0


class Reporting(Protocol):
    """What a worker process must have to report on itself."""

    pool: asyncpg.Pool
    jobs: Jobs
    crm_events: CrmEventJob
    loops: tuple[Loop, ...]
    exchanges: ExchangeLog
    configuration: Configuration


def report_loop(worker: Reporting) -> Loop:
    name = f"{PREFIX}{socket.gethostname()}-{os.getpid()}"
    started_at = datetime.now(UTC)

    async def tell() -> None:
        async with worker.pool.acquire() as conn:
            await report(conn, INSTALLATION, name, {"started_at": started_at, **figures(worker)})
            await delete_reports_of_gone_processes(conn, PREFIX)

    return Loop("report", tell, EVERY_SECONDS)


def figures(worker: Reporting) -> dict[str, Any]:
    """loops: what runs in the background, each with its latest success and what it met at its latest failure."""
    return {
        "jobs": worker.jobs.status,
        "crm_events": worker.crm_events.status,
        "loops": {
            "jobs": _loop(worker.jobs.status.last_success, None),
            **{loop.name: _loop(loop.last_success, loop.last_error) for loop in worker.loops},
        },
        "exchanges_lost": worker.exchanges.lost,
        "configuration_heard": worker.configuration.listener.is_connected,
    }


def _loop(last_success: datetime | None, error: str | None) -> dict[str, Any]:
    return {"last_success": last_success, "error": error}
