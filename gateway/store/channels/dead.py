"""Updates of messengers that could not be read or carried out, as a person finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.database.pool import Conn

_LISTED = """
SELECT u.update_id, u.channel_id, c.name AS channel, u.told, u.raw, u.received_at, u.applied_at, u.error
FROM channel_update u JOIN channel c ON c.channel_id = u.channel_id
WHERE u.account_id = $1 AND u.state = 'dead' AND u.update_id > $2 ORDER BY u.update_id LIMIT $3
"""

_TAKEN = """
DELETE FROM channel_update WHERE account_id = $1 AND state = 'dead' AND ($2::bigint[] IS NULL OR update_id = ANY($2))
RETURNING update_id, channel_id, told, raw, received_at, error
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadUpdate:
    """told: as of `update_as_json`, None = it could not be read, see raw. error: `code: what in plain words`."""

    update_id: int
    channel_id: str
    told: Mapping[str, Any] | None
    raw: bytes | None
    received_at: datetime
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedUpdate(DeadUpdate):
    """channel: its name. applied_at: when it failed, None = at once."""

    channel: str
    applied_at: datetime | None


async def dead_updates(
    conn: Conn, account_id: str, *, after: int = 0, limit: int = 100
) -> list[ListedUpdate]:
    return [ListedUpdate(**row) for row in await conn.fetch(_LISTED, account_id, after, limit)]


async def take_dead_updates(conn: Conn, account_id: str, ids: Sequence[int] | None) -> list[DeadUpdate]:
    """Take them (None = all) out of the inbox, in the order in which they came: whoever takes them stores them anew."""
    rows = await conn.fetch(_TAKEN, account_id, None if ids is None else list(ids))
    return sorted((DeadUpdate(**row) for row in rows), key=lambda update: update.update_id)


async def ignore_dead_updates(conn: Conn, account_id: str, ids: Sequence[int], note: str) -> int:
    """Let them be. How many."""
    done: str = await conn.execute(
        "UPDATE channel_update SET state = 'ignored', note = $3 WHERE account_id = $1 AND update_id = ANY($2) AND state = 'dead'",
        account_id,
        list(ids),
        note,
    )
    return int(done.split()[-1])
