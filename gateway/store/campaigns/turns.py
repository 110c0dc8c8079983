"""Whose turn has come: of each running campaign a few stand where the dialler looks, the others are held."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.store.campaigns.campaigns import CampaignRow, campaign_of
from routing.outbound.retries import RetryTable
from routing.outbound.windows import CallingHours
from runtime.database.pool import Conn

AT_ONCE = 100
"""Of one campaign; what is dialled in a second is far less."""

# Those that wait for another try count when it is due.
_FILL = """
UPDATE outbound_item SET state = 'waiting', target = $3, connection = $4, look_at = NULL,
    line = coalesce(line, CASE WHEN cardinality($5::text[]) > 0 THEN ($5::text[])[1 + abs(hashtext(item_id)) % cardinality($5)] END)
WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM outbound_item o WHERE account_id = $1 AND campaign = $2 AND state = 'held'
        AND not_before <= now() AND EXISTS (SELECT FROM campaign_member m WHERE m.account_id = o.account_id AND m.item_id = o.item_id)
        AND ($7 OR counters <> '{}')
    ORDER BY priority, not_before, item_id
    LIMIT greatest(0, $6 - (SELECT count(*) FROM outbound_item WHERE account_id = $1 AND campaign = $2
        AND ended_at IS NULL AND state = 'waiting' AND not_before <= now()))
    FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTerms:
    """What a campaign says of how its members are called. hours: None = the account's. may_dial: it runs."""

    campaign_id: str
    may_dial: bool
    hours: CallingHours | None
    retries: RetryTable
    leaves_traces: bool


async def fill(conn: Conn, row: CampaignRow) -> int:
    """Let as many as fit stand where the dialler looks, by the settings of now; how many. A line once given stays."""
    settings = row.settings
    done: str = await conn.execute(
        _FILL,
        row.account_id,
        row.name,
        settings.target.model_dump(mode="json"),
        settings.connection,
        list(settings.lines),
        AT_ONCE,
        row.state == "running",
    )
    return int(done.split()[-1])


async def hold_back(conn: Conn, row: CampaignRow) -> int:
    """Take back from the dialler what is not under way; how many."""
    done: str = await conn.execute(
        "UPDATE outbound_item SET state = 'held' WHERE account_id = $1 AND campaign = $2 AND ended_at IS NULL"
        " AND state = 'waiting'",
        row.account_id,
        row.name,
    )
    return int(done.split()[-1])


async def terms_of(conn: Conn, account_id: str, name: str) -> CampaignTerms | None:
    """None: there is no campaign of this name."""
    row = await campaign_of(conn, account_id, name)
    if row is None:
        return None
    return CampaignTerms(
        campaign_id=row.campaign_id,
        may_dial=row.state in ("running", "stopping"),
        hours=row.settings.hours,
        retries=row.settings.retries,
        leaves_traces=row.settings.leaves_traces,
    )
