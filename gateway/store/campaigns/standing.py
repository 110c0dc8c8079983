"""Campaigns that run, of all accounts: what each is told, and how many wait in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.store.campaigns.campaigns import CampaignRow, as_campaign
from runtime.database.pool import Conn

# Only who is not done with is counted, by the partial index.
_RUNNING = """
SELECT c.*, e.trouble, e.words, (SELECT count(*) FROM outbound_item i WHERE i.account_id = c.account_id AND i.campaign = c.name
    AND i.ended_at IS NULL) AS waiting,
  c.settings->'target'->>'kind' <> 'template' OR EXISTS (SELECT FROM distribution_template t
    WHERE t.account_id = c.account_id AND t.name = c.settings->'target'->>'name') AS has_template
FROM campaign c LEFT JOIN campaign_engine e USING (account_id, campaign_id)
WHERE c.state = 'running' AND ($1::text[] IS NULL OR c.account_id = ANY($1)) ORDER BY c.name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStanding:
    """waiting: numbers that are not done with. trouble, words: of a contact centre that dials it. has_template: false where the
    distribution template that says who talks is no more."""

    row: CampaignRow
    waiting: int
    trouble: str
    words: str
    has_template: bool


async def campaign_standing(
    conn: Conn, account_ids: Collection[str] | None = None
) -> Mapping[str, list[CampaignStanding]]:
    """By account, None = of all; those in which nothing runs are not there."""
    found: dict[str, list[CampaignStanding]] = {}
    for row in await conn.fetch(_RUNNING, None if account_ids is None else list(account_ids)):
        standing = CampaignStanding(
            row=as_campaign(row),
            waiting=row["waiting"],
            trouble=row["trouble"] or "",
            words=row["words"] or "",
            has_template=row["has_template"],
        )
        found.setdefault(standing.row.account_id, []).append(standing)
    return found
