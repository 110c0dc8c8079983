"""A campaign as its pages show it: where it stands, how far it is, and what can be told to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from campaigns.states import CampaignCommand, CampaignLoad, CampaignState, after_command, takes_members
from gateway.admin.campaigns.words import campaign_in_words
from gateway.admin.protection.behind import behind_campaign
from gateway.health.campaign_checks import campaign_findings, running_campaigns
from gateway.health.findings import Finding
from gateway.health.views import CampaignAtWork, CampaignObstacle
from gateway.store.admin.accounts import connections
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns.campaigns import CampaignRow, campaign_of
from gateway.store.campaigns.engines import EngineRow
from gateway.store.campaigns.figures import CampaignFigures
from gateway.store.campaigns.standing import campaign_standing
from gateway.web.frame import AnyPageCall, page_not_found
from runtime.database.pool import Conn

PATH = "/messages/campaigns"
TONES: Mapping[CampaignState, str] = {
    "running": "good",
    "paused": "warn",
    "stopping": "warn",
    "planned": "info",
}
_MENDED_AT: Mapping[CampaignObstacle, str] = {
    "connection": "/setup/pbx",
    "line": "/setup/pbx",
    "nobody": "/setup/employees",
    "paused": "/messages",
}
_COMMANDS: tuple[CampaignCommand, ...] = ("start", "pause", "stop", "finish")
_SOME = CampaignLoad(members=1, open=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignShown:
    """message: state and reason. obstacle: why it calls nobody now though it runs, and the page that mends it.
    commands: what the state
    allows."""

    row: CampaignRow
    figures: CampaignFigures
    message: str
    tone: str
    obstacle: tuple[str, str] | None
    trouble: str
    commands: Sequence[CampaignCommand]

    @property
    def takes_numbers(self) -> bool:
        return takes_members(self.row.state)

    @property
    def done(self) -> int:
        return self.figures.called


def campaign_shown(
    call: AnyPageCall,
    row: CampaignRow,
    figures: CampaignFigures,
    obstacles: Mapping[str, tuple[str, str]],
    engine: EngineRow | None,
) -> CampaignShown:
    trouble = call.texts.word("campaign.trouble", engine.trouble) if engine and engine.trouble else ""
    return CampaignShown(
        row=row,
        figures=figures,
        message=campaign_in_words(row, call.texts),
        tone=TONES.get(row.state, ""),
        obstacle=obstacles.get(row.name),
        trouble=trouble,
        commands=commands_of(row),
    )


def commands_of(row: CampaignRow) -> Sequence[CampaignCommand]:
    """Return what changes something now; a contact centre's own is started, paused and stopped there."""
    if row.settings.engine == "pbx":
        return ("finish",) if row.state != "finished" else ()
    return [
        command
        for command in _COMMANDS
        if (step := after_command(row.state, command, _SOME)) and step.state != row.state
    ]


async def obstacles_of(call: AnyPageCall, conn: Conn) -> dict[str, tuple[str, str]]:
    """By the campaign's name: what the checks find, and the page that mends it."""
    account = call.account
    standing = (await campaign_standing(conn, [account.id])).get(account.id, [])
    if not standing:
        return {}
    known, staff = await connections(conn, account.id), await staff_of(conn, account.id)
    found = running_campaigns(standing, account, known, staff, call.now, call.services.kinds)
    findings = zip(found, campaign_findings(account.id, account.time_zone, found), strict=True)
    return {one.name: _mended(call, one, finding) for one, finding in findings if one.obstacle}


def _mended(call: AnyPageCall, one: CampaignAtWork, finding: Finding) -> tuple[str, str]:
    said = call.texts.say(f"now.finding.{finding.code}", **finding.message.values)
    return said, _MENDED_AT.get(one.obstacle, f"{PATH}/{quote(one.name, safe='')}/edit")


async def the_campaign_seen(call: AnyPageCall, conn: Conn) -> CampaignRow:
    """Return the one of the path; a page that says that there is none, where the person may not see it."""
    row = await campaign_of(conn, call.account.id, call.path["campaign"])
    if row is None or not is_seen(call, row):
        raise page_not_found("campaign")
    return row


def is_seen(call: AnyPageCall, row: CampaignRow) -> bool:
    template = behind_campaign(row.settings)
    return template is None or call.may("read_only", template=template)
