"""The planner's statistics of tables that grow fast, kept fresh.

Autovacuum looks once a minute and waits for a tenth of a table to change. Until then PostgreSQL takes a new account, or
one that is being loaded, for a handful of rows, and reads all of it for each number instead of using the index.
"""

from __future__ import annotations

import asyncpg

from runtime.database import locks
from runtime.database.pool import Conn

# A large table changes less by the same rows, so it waits longer.
_STALE = """
SELECT s.relid::regclass::text AS name FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE s.schemaname = current_schema() AND pg_has_role(c.relowner, 'USAGE') AND s.n_mod_since_analyze > 200 + s.n_live_tup / 100
  AND coalesce(greatest(s.last_analyze, s.last_autoanalyze), '-infinity')
      < now() - interval '2 seconds' - s.n_live_tup * interval '20 microseconds'
ORDER BY s.n_live_tup
"""


async def refresh_statistics(pool: asyncpg.Pool) -> list[str]:
    """Return the tables that were looked at anew: those that changed much. One process does it at a time; locked tables wait."""
    async with pool.acquire() as conn:
        return [row["name"] for row in await conn.fetch(_STALE) if await _analyze(conn, row["name"])]


async def _analyze(conn: Conn, table: str) -> bool:
    async with conn.transaction():
        if not await locks.try_take(conn, locks.TABLE_STATISTICS):
            return False
        # 9,000 rows tell enough, and in the same time of a table of any size.
        await conn.execute("SET LOCAL default_statistics_target = 30")
        await conn.execute(f"ANALYZE (SKIP_LOCKED) {table}")  # its name comes quoted
        return True
