"""Several people at one draft: its latest revisions, and who has it open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.store.admin.matrices import matrix_at, matrix_of_body
from routing.matrix.model import Matrix
from runtime.database.pool import Conn

EDITOR_STAYS = timedelta(seconds=90)
"""So long somebody counts as editing after their page was last heard of."""

_SEEN = """
INSERT INTO matrix_editor (account_id, who, place, opened_at, seen_at) VALUES ($1, $2, $3, now(), now())
ON CONFLICT (account_id, who) DO UPDATE SET place = excluded.place, seen_at = now(),
    opened_at = CASE WHEN matrix_editor.seen_at < now() - $4::interval THEN now() ELSE matrix_editor.opened_at END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """place: the cell that they have open, "" = none."""

    who: str
    place: str
    opened_at: datetime
    seen_at: datetime


async def draft_at(conn: Conn, account_id: str, revision: int) -> Matrix | None:
    """Return what the draft was at this revision; None when it is kept no longer."""
    row = await conn.fetchrow(
        "SELECT body, based_on FROM matrix_draft_saved WHERE account_id = $1 AND revision = $2",
        account_id,
        revision,
    )
    if row is None:
        return None
    if row["body"] is None:
        return await matrix_at(conn, account_id, row["based_on"])
    return matrix_of_body(row["body"], row["based_on"])


async def first_of_draft(conn: Conn, account_id: str) -> Matrix | None:
    """Return what the draft was before anybody ever saved it; None when that is kept no longer."""
    based_on = await conn.fetchval(
        "SELECT based_on FROM matrix_draft_saved WHERE account_id = $1 AND revision = 1", account_id
    )
    return None if based_on is None else await matrix_at(conn, account_id, based_on)


async def seen_editing(conn: Conn, account_id: str, who: str, place: str) -> None:
    """Note that somebody has the editor open."""
    await conn.execute(_SEEN, account_id, who, place, EDITOR_STAYS)
    await conn.execute(
        "DELETE FROM matrix_editor WHERE account_id = $1 AND seen_at < now() - $2::interval",
        account_id,
        EDITOR_STAYS,
    )


async def left_editing(conn: Conn, account_id: str, who: str) -> None:
    await conn.execute("DELETE FROM matrix_editor WHERE account_id = $1 AND who = $2", account_id, who)


async def editors(conn: Conn, account_id: str) -> list[Editor]:
    """Return who has the draft open now, the first one first."""
    rows = await conn.fetch(
        "SELECT who, place, opened_at, seen_at FROM matrix_editor"
        " WHERE account_id = $1 AND seen_at >= now() - $2::interval ORDER BY opened_at, who",
        account_id,
        EDITOR_STAYS,
    )
    return [Editor(**dict(row)) for row in rows]
