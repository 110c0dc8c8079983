"""What became of a campaign's members and attempts, counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateway.store.campaigns.campaigns import CampaignRow
from runtime.database.pool import Conn


class MemberCount(NamedTuple):
    state: str
    reason: str
    members: int


class HourCount(NamedTuple):
    """hour: its beginning. side, reason: of what the attempts of that hour came to."""

    hour: datetime
    side: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFigures:
    """members: each in one state. hours: the latest first."""

    members: tuple[MemberCount, ...]
    hours: tuple[HourCount, ...]
    tries: int

    @property
    def total(self) -> int:
        return sum(count.members for count in self.members)

    @property
    def open(self) -> int:
        return sum(c.members for c in self.members if c.state in ("held", "waiting", "dialling"))

    @property
    def reached(self) -> int:
        return sum(c.members for c in self.members if c.state == "succeeded")

    @property
    def called(self) -> int:
        """Return how many were called to the end: neither taken out nor dropped."""
        return sum(
            c.members for c in self.members if c.state in ("succeeded", "failed", "expired", "unknown")
        )

    @property
    def reached_percent(self) -> float | None:
        """None: nobody was called to the end yet."""
        return round(100 * self.reached / self.called, 1) if self.called else None


_MEMBERS = """
SELECT state, reason, count(*) AS members FROM campaign_member WHERE account_id = $1 AND campaign_id = $2
GROUP BY state, reason ORDER BY members DESC, state, reason
"""
_HOURS = """
SELECT hour, side, reason, n FROM campaign_hour WHERE account_id = $1 AND campaign_id = $2 AND n > 0
ORDER BY hour DESC, n DESC, side, reason LIMIT $3
"""


async def figures_of(conn: Conn, row: CampaignRow, *, lines: int = 2000) -> CampaignFigures:
    """lines: of hours, at the most."""
    members = await conn.fetch(_MEMBERS, row.account_id, row.campaign_id)
    hours = await conn.fetch(_HOURS, row.account_id, row.campaign_id, lines)
    tries: int = await conn.fetchval(
        "SELECT coalesce(sum(n), 0)::bigint FROM campaign_hour WHERE account_id = $1 AND campaign_id = $2",
        row.account_id,
        row.campaign_id,
    )
    return CampaignFigures(
        members=tuple(MemberCount(**dict(one)) for one in members),
        hours=tuple(HourCount(one["hour"], one["side"], one["reason"], one["n"]) for one in hours),
        tries=tries,
    )
