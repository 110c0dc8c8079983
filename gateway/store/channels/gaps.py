"""When channels were listened to, and when not, as rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from routing.dialogues.gaps import GapState, ListeningGap
from runtime.database.pool import Conn

_LISTED = "SELECT account_id, gap_id, channel_id, from_at, to_at, state, cursor, found, failures, created_at FROM channel_gap"

# A client whose dialogue began right after nobody listened may have written then: what a messenger keeps for a day comes after the
# gap has ended a day before.
_IN_DIALOGUE = f"""{_LISTED} g WHERE account_id = $1 AND state <> 'repaired' AND EXISTS (
    SELECT FROM dialogue d WHERE d.account_id = $1 AND d.dialogue_id = $2 AND d.channel_id = g.channel_id
        AND g.created_at > d.created_at - interval '1 day')
ORDER BY from_at DESC LIMIT 100
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelGap:
    """cursor: of the history. found: updates that were missing."""

    account_id: str
    gap_id: int
    channel_id: str
    from_at: datetime
    to_at: datetime
    state: GapState
    cursor: str | None
    found: int
    failures: int
    created_at: datetime


async def note_listening(
    conn: Conn, channel_id: str, now: datetime, judge: Callable[[datetime], ListeningGap | None]
) -> ListeningGap | None:
    """Note that it is listened to now, and what was missed since it last was. judge: takes when that was. In the caller's
    transaction."""
    row = await conn.fetchrow(
        "SELECT account_id, listened_at FROM channel WHERE channel_id = $1 FOR UPDATE", channel_id
    )
    if row is None or (row["listened_at"] is not None and row["listened_at"] >= now):
        return None
    await conn.execute("UPDATE channel SET listened_at = $2 WHERE channel_id = $1", channel_id, now)
    gap = judge(row["listened_at"]) if row["listened_at"] is not None else None
    if gap is not None:
        await conn.execute(
            "INSERT INTO channel_gap (account_id, channel_id, from_at, to_at, state, try_at, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            row["account_id"],
            channel_id,
            gap.from_at,
            gap.to_at,
            gap.state,
            now if gap.state == "repairing" else None,
            now,
        )
    return gap


async def unheard_channels(conn: Conn, before: datetime) -> list[str]:
    """Return channels that nobody is noted to have listened to since."""
    rows = await conn.fetch(
        "SELECT channel_id FROM channel WHERE listened_at IS NULL OR listened_at < $1 ORDER BY channel_id",
        before,
    )
    return [row["channel_id"] for row in rows]


async def next_gap(conn: Conn, channel_id: str, now: datetime) -> ChannelGap | None:
    """Return the oldest one that is being repaired and is due."""
    row = await conn.fetchrow(
        f"{_LISTED} WHERE channel_id = $1 AND state = 'repairing' AND try_at <= $2 ORDER BY from_at LIMIT 1",
        channel_id,
        now,
    )
    return ChannelGap(**row) if row else None


async def advance_gap(conn: Conn, gap: ChannelGap, cursor: str | None, found: int) -> None:
    """Note one page of the history, together with what it told. cursor None: it was the last one."""
    await conn.execute(
        "UPDATE channel_gap SET cursor = $3, found = found + $4, failures = 0,"
        " state = CASE WHEN $3::text IS NULL THEN 'repaired' ELSE state END WHERE account_id = $1 AND gap_id = $2",
        gap.account_id,
        gap.gap_id,
        cursor,
        found,
    )


async def put_off_gap(conn: Conn, gap: ChannelGap, again_at: datetime | None) -> None:
    """again_at None: it stays open, for people to see."""
    await conn.execute(
        "UPDATE channel_gap SET failures = failures + 1, try_at = $3, state = CASE WHEN $3::timestamptz IS NULL THEN 'open'"
        " ELSE state END WHERE account_id = $1 AND gap_id = $2",
        gap.account_id,
        gap.gap_id,
        again_at,
    )


async def gaps_of_channel(conn: Conn, account_id: str, channel_id: str) -> list[ChannelGap]:
    """Return the latest 100, the newest first."""
    rows = await conn.fetch(
        f"{_LISTED} WHERE account_id = $1 AND channel_id = $2 ORDER BY from_at DESC LIMIT 100",
        account_id,
        channel_id,
    )
    return [ChannelGap(**row) for row in rows]


async def latest_open_gaps(conn: Conn, since: datetime) -> dict[str, ListeningGap]:
    """Return by channel the latest one that nobody can fill, of those that ended since then."""
    rows = await conn.fetch(
        "SELECT DISTINCT ON (channel_id) channel_id, from_at, to_at, state FROM channel_gap"
        " WHERE state = 'open' AND to_at > $1 ORDER BY channel_id, to_at DESC",
        since,
    )
    return {
        row["channel_id"]: ListeningGap(from_at=row["from_at"], to_at=row["to_at"], state=row["state"])
        for row in rows
    }


async def gaps_in_dialogue(conn: Conn, account_id: str, dialogue_id: int) -> list[ChannelGap]:
    """Return those in which messages of this dialogue may be missing, the newest first."""
    return [ChannelGap(**row) for row in await conn.fetch(_IN_DIALOGUE, account_id, dialogue_id)]
