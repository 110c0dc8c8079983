"""Campaigns as a configuration file brings them: what each is told, never where it stands; nobody is called by a file."""

from __future__ import annotations

from gateway.admin.campaigns.refused import CampaignStateForbids
from gateway.admin.campaigns.saved import change_campaign, make_campaign
from gateway.admin.config_document import (
    CampaignFilePart,
    ConfigDocument,
    ConfigRefused,
    DocumentProblem,
    refuse_twice,
)
from gateway.admin.distribution.from_file import Warn
from gateway.admin.refused import InputRefused
from gateway.store.campaigns.campaigns import CampaignRow, campaigns_of
from runtime.database.pool import Conn


async def take_campaigns(conn: Conn, account_id: str, document: ConfigDocument, by: str, warn: Warn) -> None:
    """Make drafts and change settings as the API would, in the caller's transaction; what the file does not name stays, and is
    told of. One that has finished is refused unless it is as it was: it never runs again. Raises ConfigRefused."""
    if document.campaigns is None:
        return
    wanted = document.campaigns
    refuse_twice("campaigns", [part.name for part in wanted])
    stored = {row.name: row for row in await campaigns_of(conn, account_id)}
    for position, part in enumerate(wanted):
        now = stored.pop(part.name, None)
        try:
            await _take(conn, account_id, part, now, by)
        except InputRefused as err:
            field = "" if isinstance(err, CampaignStateForbids) else f".{err.field}"
            where = f"campaigns.{position} «{part.name}»{field}"
            raise ConfigRefused([DocumentProblem(where, err.message, err.remedy, err.code)]) from err
        if now is not None and now.state == "finished":
            warn("campaign-finished", name=part.name)
    for row in stored.values():
        if row.state != "finished":
            warn("campaign-stays", name=row.name)


async def _take(
    conn: Conn, account_id: str, part: CampaignFilePart, now: CampaignRow | None, by: str
) -> None:
    if now is None:
        await make_campaign(conn, account_id, part.name, part.settings, by=by)
    elif part.settings != now.settings:
        await change_campaign(conn, account_id, part.name, part.settings)
