"""Whether the database is one that the program can work in: looked at before anything is begun, so that a person is told what
to change there, and not what happened to fail first."""

from __future__ import annotations

from typing import Literal

import asyncpg

from runtime.database.pool import Conn

LEAST_VERSION = 150000
_ENCODING = "UTF8"

_FACTS = """
SELECT current_setting('server_version_num')::int AS version_num, current_setting('server_version') AS version,
  current_setting('server_encoding') AS encoding, current_setting('transaction_read_only') = 'on' AS is_read_only,
  current_user::text AS role, current_schema()::text AS schema,
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create
"""

# Of the same owner as our own: tables of another program in the same schema are not our business. Sequences of identity
# columns ask for no right.
_CLOSED = """
SELECT c.relname::text AS name FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition
  AND c.relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass('schema_migration'))
  AND CASE c.relkind
    WHEN 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
    WHEN 'r' THEN NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
      AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
    ELSE false END
ORDER BY 1
"""

Unfitness = Literal[
    "old", "encoding", "read-only", "no-schema", "no-create", "foreign-tables", "closed-tables"
]


class DatabaseUnfit(Exception):
    """The program cannot work in this database as it is. kind: what is wrong with it. detail: its version, encoding, schema,
    or the tables. role: as whom we came."""

    code = "database-unfit"

    def __init__(self, kind: Unfitness, role: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind, self.role, self.detail = kind, role, detail


async def unfit_to_migrate(conn: Conn) -> DatabaseUnfit | None:
    """Why the schema cannot be made or changed here; None: nothing is in the way."""
    facts = await _facts(conn)
    if facts["version_num"] < LEAST_VERSION:
        return _unfit("old", facts, facts["version"])
    if facts["encoding"] != _ENCODING:
        return _unfit("encoding", facts, facts["encoding"])
    if facts["is_read_only"]:
        return _unfit("read-only", facts)
    if facts["schema"] is None:
        return _unfit("no-schema", facts)
    return None if facts["may_create"] else _unfit("no-create", facts, facts["schema"])


async def unfit_to_work(conn: Conn) -> DatabaseUnfit | None:
    """Why a process cannot work on the migrated schema; None: nothing is in the way."""
    facts = await _facts(conn)
    if facts["is_read_only"]:
        return _unfit("read-only", facts)
    closed = [row["name"] for row in await conn.fetch(_CLOSED)]
    return _unfit("closed-tables", facts, ", ".join(closed)) if closed else None


async def unfit_in_the_long_run(conn: Conn) -> DatabaseUnfit | None:
    """Return what no process is stopped for, but will cost something one day."""
    facts = await _facts(conn)
    if facts["version_num"] < LEAST_VERSION:
        return _unfit("old", facts, facts["version"])
    return _unfit("encoding", facts, facts["encoding"]) if facts["encoding"] != _ENCODING else None


async def _facts(conn: Conn) -> asyncpg.Record:
    facts = await conn.fetchrow(_FACTS)
    assert facts is not None
    return facts


def _unfit(kind: Unfitness, facts: asyncpg.Record, detail: str = "") -> DatabaseUnfit:
    return DatabaseUnfit(kind, facts["role"], detail)
