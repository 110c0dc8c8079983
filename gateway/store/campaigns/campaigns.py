"""Campaigns as rows: settings with the version that was seen, and where each stands."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import asyncpg

from campaigns.keep_open import KeepOpenRow
from campaigns.model import CampaignSettings
from campaigns.states import CampaignLoad, CampaignReason, CampaignState, CampaignStep
from gateway.store.admin.audit import AuditChange, record
from runtime.database.pool import Conn

# What it has on its hands: items that are not done with are few or in one index.
_LOAD = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM campaign_member m WHERE m.account_id = $1 AND m.campaign_id = $2 LIMIT 1) AS any_member)
    AS members,
  (SELECT count(*) FROM outbound_item WHERE account_id = $1 AND campaign = $3 AND ended_at IS NULL) AS open,
  (SELECT count(*) FROM outbound_item WHERE account_id = $1 AND campaign = $3 AND ended_at IS NULL AND state = 'dialling')
    AS dialling
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    account_id: str
    campaign_id: str
    name: str
    version: int
    settings: CampaignSettings
    state: CampaignState
    reason: CampaignReason
    starts_at: datetime | None
    kept_open_at: datetime | None
    kept_open_removed: datetime | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def step(self) -> CampaignStep:
        return CampaignStep(self.state, self.reason)

    @property
    def kept_open(self) -> KeepOpenRow:
        return KeepOpenRow(made_at=self.kept_open_at, removed_at=self.kept_open_removed)


_COLUMNS = tuple(column.name for column in fields(CampaignRow))


async def campaigns_of(conn: Conn, account_id: str) -> list[CampaignRow]:
    """Newest first."""
    rows = await conn.fetch(
        "SELECT * FROM campaign WHERE account_id = $1 ORDER BY created_at DESC, name", account_id
    )
    return [as_campaign(row) for row in rows]


async def campaign_of(conn: Conn, account_id: str, name: str) -> CampaignRow | None:
    row = await conn.fetchrow("SELECT * FROM campaign WHERE account_id = $1 AND name = $2", account_id, name)
    return as_campaign(row) if row else None


async def lock_campaign(conn: Conn, account_id: str, name: str) -> CampaignRow | None:
    """As `campaign_of`; nobody changes it, and nobody is added, until the transaction ends. Attempts that end meanwhile are
    counted all the same."""
    row = await conn.fetchrow(
        "SELECT * FROM campaign WHERE account_id = $1 AND name = $2 FOR NO KEY UPDATE",
        account_id,
        name,
    )
    return as_campaign(row) if row else None


async def at_work(conn: Conn) -> list[CampaignRow]:
    """Return those of accounts that are on that the gateway dials and that may go on by themselves."""
    rows = await conn.fetch(
        "SELECT c.* FROM campaign c JOIN account a USING (account_id)"
        " WHERE c.state IN ('planned', 'running', 'stopping') AND a.state = 'on'"
        " AND c.settings->>'engine' IS DISTINCT FROM 'pbx'"
    )
    return [as_campaign(row) for row in rows]


async def add_campaign(
    conn: Conn, account_id: str, name: str, settings: CampaignSettings, by: str
) -> CampaignRow | None:
    """None: there is one of this name, which may have finished."""
    row = await conn.fetchrow(
        "INSERT INTO campaign (account_id, campaign_id, name, settings, created_by) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING RETURNING *",
        account_id,
        secrets.token_hex(8),
        name,
        settings.model_dump(mode="json"),
        by,
    )
    if row is None:
        return None
    made = as_campaign(row)
    await _told(conn, made, "added", None, made.settings.model_dump(mode="json"))
    return made


async def change_settings(conn: Conn, row: CampaignRow, settings: CampaignSettings) -> CampaignRow:
    """Return it as it is from now on; nothing happens where they are the same."""
    if settings == row.settings:
        return row
    changed = await conn.fetchrow(
        "UPDATE campaign SET settings = $3, version = version + 1 WHERE account_id = $1 AND campaign_id = $2 RETURNING *",
        row.account_id,
        row.campaign_id,
        settings.model_dump(mode="json"),
    )
    await _told(conn, row, "changed", row.settings.model_dump(mode="json"), settings.model_dump(mode="json"))
    assert changed is not None
    return as_campaign(changed)


async def move(
    conn: Conn, row: CampaignRow, step: CampaignStep, *, starts_at: datetime | None = None
) -> CampaignRow:
    """Write down where it stands from now on. starts_at: of one that is planned."""
    moved = await conn.fetchrow(
        "UPDATE campaign SET state = $3, reason = $4, starts_at = coalesce($5, starts_at),"
        " started_at = CASE WHEN $3 = 'running' THEN coalesce(started_at, now()) ELSE started_at END,"
        " finished_at = CASE WHEN $3 = 'finished' THEN coalesce(finished_at, now()) END"
        " WHERE account_id = $1 AND campaign_id = $2 RETURNING *",
        row.account_id,
        row.campaign_id,
        step.state,
        step.reason,
        starts_at,
    )
    assert moved is not None
    after = as_campaign(moved)
    await _told(conn, row, step.state, _standing(row), _standing(after))
    return after


async def keep_open(conn: Conn, row: CampaignRow, kept: KeepOpenRow) -> None:
    """Write down what became of its technical row."""
    if kept == row.kept_open:
        return
    await conn.execute(
        "UPDATE campaign SET kept_open_at = $3, kept_open_removed = $4 WHERE account_id = $1 AND campaign_id = $2",
        row.account_id,
        row.campaign_id,
        kept.made_at,
        kept.removed_at,
    )
    if kept.removed_at is not None:
        await _told(conn, row, "technical row removed", None, {})


async def load_of(conn: Conn, row: CampaignRow) -> CampaignLoad:
    found = await conn.fetchrow(_LOAD, row.account_id, row.campaign_id, row.name)
    assert found is not None
    return CampaignLoad(**dict(found), is_kept_open=row.kept_open.holds)


def as_campaign(row: asyncpg.Record) -> CampaignRow:
    values = {name: row[name] for name in _COLUMNS}
    return CampaignRow(**{**values, "settings": CampaignSettings.model_validate(values["settings"])})


def _standing(row: CampaignRow) -> dict[str, Any]:
    return {
        "state": row.state,
        "reason": row.reason,
        "starts_at": row.starts_at.isoformat() if row.starts_at else None,
    }


async def _told(
    conn: Conn, row: CampaignRow, action: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    change = AuditChange(
        what="campaign",
        object=row.name,
        action=action,
        account_id=row.account_id,
        before=before,
        after=after,
    )
    await record(conn, change)
