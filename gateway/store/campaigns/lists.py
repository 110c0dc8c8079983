"""Lists that are on their way into a campaign, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.campaigns.campaigns import CampaignRow
from runtime.database.pool import Conn

_BRIEF = "upload, name, columns, work_id, report, uploaded_by, uploaded_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """report: how many rows came in and what was wrong with others; None while it is not read."""

    upload: str
    name: str
    columns: Mapping[str, str]
    work_id: str | None
    report: Mapping[str, Any] | None
    uploaded_by: str
    uploaded_at: datetime


async def keep_list(
    conn: Conn, row: CampaignRow, upload: str, name: str, columns: Mapping[str, str], body: bytes, by: str
) -> None:
    """Keep it until it is read; one that was read before is read again."""
    await conn.execute(
        "INSERT INTO campaign_list (account_id, campaign_id, upload, name, columns, body, uploaded_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, campaign_id, upload) DO UPDATE"
        " SET body = excluded.body, uploaded_at = now()",
        row.account_id,
        row.campaign_id,
        upload,
        name,
        dict(columns),
        body,
        by,
    )


async def bind_work(conn: Conn, row: CampaignRow, upload: str, work_id: str) -> None:
    await conn.execute(
        "UPDATE campaign_list SET work_id = $4 WHERE account_id = $1 AND campaign_id = $2 AND upload = $3",
        row.account_id,
        row.campaign_id,
        upload,
        work_id,
    )


async def list_of(conn: Conn, row: CampaignRow, upload: str) -> ListRow | None:
    found = await conn.fetchrow(
        f"SELECT {_BRIEF} FROM campaign_list WHERE account_id = $1 AND campaign_id = $2 AND upload = $3",  # noqa: S608
        row.account_id,
        row.campaign_id,
        upload,
    )
    return ListRow(**dict(found)) if found else None


async def lists_of(conn: Conn, row: CampaignRow) -> list[ListRow]:
    """Newest first."""
    found = await conn.fetch(
        f"SELECT {_BRIEF} FROM campaign_list WHERE account_id = $1 AND campaign_id = $2"  # noqa: S608
        " ORDER BY uploaded_at DESC, upload LIMIT 100",
        row.account_id,
        row.campaign_id,
    )
    return [ListRow(**dict(one)) for one in found]


async def body_of(conn: Conn, row: CampaignRow, upload: str) -> bytes | None:
    """None: it was read already."""
    found: bytes | None = await conn.fetchval(
        "SELECT body FROM campaign_list WHERE account_id = $1 AND campaign_id = $2 AND upload = $3",
        row.account_id,
        row.campaign_id,
        upload,
    )
    return found


async def list_read(conn: Conn, row: CampaignRow, upload: str, report: Mapping[str, Any]) -> None:
    """Write down what came of it; the file itself is kept no longer."""
    await conn.execute(
        "UPDATE campaign_list SET body = NULL, report = $4 WHERE account_id = $1 AND campaign_id = $2 AND upload = $3",
        row.account_id,
        row.campaign_id,
        upload,
        dict(report),
    )
