"""Named things of an account of which every version is kept: one row says which holds, and the versions never change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from runtime.database.pool import Conn

AT_TERMINAL = " (command line)"
"""Ends `saved_by` of who saved it at a terminal."""


class NamedVersion(NamedTuple):
    """The version that holds. body: as it is stored. saved_by: who saved it."""

    account_id: str
    name: str
    version: int
    body: Any
    saved_at: datetime
    saved_by: str


class VersionLine(NamedTuple):
    """One version, without what it says."""

    version: int
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedVersions:
    """holders: the table of what holds. versions: that of what was ever saved. begins_anew: columns of the first, jsonb, that
    are emptied when something comes back that was removed."""

    holders: str
    versions: str
    begins_anew: tuple[str, ...] = ()

    async def current(
        self, conn: Conn, account_ids: Collection[str] | None, name: str | None = None
    ) -> list[NamedVersion]:
        """Return what is not removed. account_ids: None = of all."""
        rows = await conn.fetch(
            f"SELECT h.account_id, h.name, h.version, v.body, v.saved_at, v.saved_by FROM {self.holders} h"  # noqa: S608
            f" JOIN {self.versions} v USING (account_id, name, version)"
            " WHERE h.removed_at IS NULL AND ($1::text[] IS NULL OR h.account_id = ANY($1))"
            " AND ($2::text IS NULL OR h.name = $2) ORDER BY h.account_id, h.name",
            None if account_ids is None else list(account_ids),
            name,
        )
        return [NamedVersion(*row) for row in rows]

    async def names(self, conn: Conn, account_ids: Collection[str] | None) -> list[str]:
        """Return the names of what is not removed, in their order, without reading what it says. account_ids: None = of all."""
        rows = await conn.fetch(
            f"SELECT DISTINCT name FROM {self.holders} WHERE removed_at IS NULL"  # noqa: S608
            " AND ($1::text[] IS NULL OR account_id = ANY($1)) ORDER BY name",
            None if account_ids is None else list(account_ids),
        )
        return [row["name"] for row in rows]

    async def body_at(self, conn: Conn, account_id: str, name: str, version: int) -> Any:
        """Return what it said, None = there was none. Of what was removed too."""
        return await conn.fetchval(
            f"SELECT body FROM {self.versions} WHERE account_id = $1 AND name = $2 AND version = $3",  # noqa: S608
            account_id,
            name,
            version,
        )

    async def lines(self, conn: Conn, account_id: str, name: str) -> list[VersionLine]:
        """Newest first."""
        rows = await conn.fetch(
            f"SELECT version, saved_at, saved_by FROM {self.versions} WHERE account_id = $1 AND name = $2"  # noqa: S608
            " ORDER BY version DESC",
            account_id,
            name,
        )
        return [VersionLine(*row) for row in rows]

    async def put(self, conn: Conn, account_id: str, name: str, body: Any, by: str) -> None:
        """Make it the next version, in the caller's transaction."""
        anew = "".join(
            f", {c} = CASE WHEN h.removed_at IS NULL THEN h.{c} ELSE '{{}}' END" for c in self.begins_anew
        )
        version = await conn.fetchval(
            f"INSERT INTO {self.holders} AS h (account_id, name, version) VALUES ($1, $2, 1)"  # noqa: S608
            f" ON CONFLICT (account_id, name) DO UPDATE SET version = h.version + 1, removed_at = NULL{anew}"
            " RETURNING version",
            account_id,
            name,
        )
        await conn.execute(
            f"INSERT INTO {self.versions} (account_id, name, version, body, saved_by) VALUES ($1, $2, $3, $4, $5)",  # noqa: S608
            account_id,
            name,
            version,
            body,
            by,
        )

    async def remove(self, conn: Conn, account_id: str, name: str) -> None:
        """Let it hold no more. Its versions stay."""
        await conn.execute(
            f"UPDATE {self.holders} SET removed_at = now() WHERE account_id = $1 AND name = $2",  # noqa: S608
            account_id,
            name,
        )
