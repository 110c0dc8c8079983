"""SQL of the queue of clients' jobs: reviving what lost its worker, and whether anything is left to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import psycopg

from runtime.database.pool import SESSION_SETTINGS, Conn

QUEUE = "clients"
TASK = "process_client"

# Jobs whose worker is gone, and jobs that live workers never managed to finish in the table (a restart of the server).
_REVIVE = """
SELECT procrastinate_retry_job_v2(j.id, now(), NULL, NULL, NULL) FROM procrastinate_jobs j
LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing' AND j.queue_name = $1 AND (w.id IS NULL OR w.last_heartbeat < now() - $2::interval
    OR (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started')
        < now() - $3::interval)
"""


async def revive(conn: Conn, *, stalled: timedelta, lost: timedelta) -> int:
    """Queue again the jobs of workers without heartbeat for `stalled`, and those that began `lost` ago; how many."""
    return len(await conn.fetch(_REVIVE, QUEUE, stalled, lost))


async def is_busy(pool: asyncpg.Pool) -> bool:
    """Whether a message is pending or a job waits or runs."""
    busy: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'pending') OR EXISTS (SELECT 1 FROM procrastinate_jobs"
        " WHERE queue_name = $1 AND status IN ('todo', 'doing'))",
        QUEUE,
    )
    return busy


async def configure_session(conn: psycopg.AsyncConnection[Any]) -> None:
    """Give a connection of the queue's own driver the settings of ours."""
    for name, value in SESSION_SETTINGS.items():
        await conn.execute("SELECT set_config(%s, %s, false)", (name, value))
    await conn.commit()
