"""Campaigns that run and cannot dial: what is in the way of each, and what a person should know of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.model import CampaignSettings
from gateway.health.findings import Finding, about, bad, detail, ok, warning
from gateway.health.views import CampaignAtWork, CampaignObstacle
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.store.admin.accounts import Account
from gateway.store.campaigns.standing import CampaignStanding
from routing.outbound.client_zones import ClientZone
from routing.outbound.windows import next_opening
from routing.staff import Staff
from routing.texts.catalogue import phrase

_FAR = timedelta(days=1)
"""So far away, the next hours in which clients may be called are not tomorrow's."""
_FOR_GOOD = ("edition", "no_campaign", "pbx_refused")
"""Of a contact centre: what stays in the way until somebody acts."""


def running_campaigns(
    found: Iterable[CampaignStanding],
    account: Account,
    connections: Sequence[Connection],
    staff: Staff,
    now: datetime,
    kinds: Mapping[str, PbxKind] = KINDS,
) -> list[CampaignAtWork]:
    by_name = {connection.name: connection for connection in connections}
    return [
        _state(one, account, by_name.get(one.row.settings.connection), staff, now, kinds) for one in found
    ]


def _state(
    one: CampaignStanding,
    account: Account,
    connection: Connection | None,
    staff: Staff,
    now: datetime,
    kinds: Mapping[str, PbxKind],
) -> CampaignAtWork:
    settings = one.row.settings
    opens_at = _opens_at(settings, account, now) if settings.engine == "own" else now
    obstacle: CampaignObstacle = ""
    if not _can_dial(settings, connection, kinds):
        obstacle = "connection"
    elif not one.has_template or not _is_anybody(settings, staff):
        obstacle = "nobody"
    elif one.trouble:
        obstacle = "engine"
    elif settings.engine == "pbx" and connection is not None and not connection.lines:
        obstacle = "line"
    elif opens_at is None:
        obstacle = "hours_never"
    elif opens_at - now > _FAR:
        obstacle = "hours_far"
    elif settings.engine == "own" and account.settings.outbound.rate == 0:
        obstacle = "paused"
    return CampaignAtWork(
        name=one.row.name,
        connection=settings.connection,
        waiting=one.waiting,
        obstacle=obstacle,
        engine_trouble=one.trouble if obstacle == "engine" else "",
        engine_words=one.words if obstacle == "engine" else "",
        opens_at=opens_at if obstacle == "hours_far" else None,
    )


def _can_dial(
    settings: CampaignSettings, connection: Connection | None, kinds: Mapping[str, PbxKind]
) -> bool:
    if connection is None or not connection.is_on or connection.kind not in kinds:
        return False
    kind = kinds[connection.kind]
    does = kind.campaigns(connection) if settings.engine == "pbx" else kind.originator(connection)
    return does is not None


def _is_anybody(settings: CampaignSettings, staff: Staff) -> bool:
    """Whether somebody who would talk has an extension and is linked to a user of the CRM who is there."""
    able = [one for one in staff.employees if one.extensions and one.crm_user_id and one.is_active]
    if settings.target.kind == "employee":
        return any(one.id == settings.target.employee_id for one in able)
    return bool(able)


def _opens_at(settings: CampaignSettings, account: Account, now: datetime) -> datetime | None:
    """By the account's clock: which zones its clients are in is looked at call by call."""
    zone = ZoneInfo(account.time_zone)
    client = ClientZone(zone=zone, source="account", candidates=(zone,))
    outbound = account.settings.outbound
    takes = timedelta(seconds=outbound.ring_seconds + outbound.client_ring_seconds)
    return next_opening(settings.hours or outbound.hours, client, now, takes)


def campaign_findings(
    account_id: str, time_zone: str, campaigns: Iterable[CampaignAtWork]
) -> Iterator[Finding]:
    """Nothing where none runs."""
    for one in campaigns:
        yield _finding(account_id, ZoneInfo(time_zone), one)


def _finding(account_id: str, zone: ZoneInfo, one: CampaignAtWork) -> Finding:
    what, waiting = about("campaign", account=account_id, name=one.name), one.waiting
    match one.obstacle:
        case "":
            return ok("campaign-runs", what, waiting=waiting)
        case "connection":
            return bad("campaign-connection", what, waiting=waiting, name=one.name, connection=one.connection)
        case "nobody":
            return bad("campaign-nobody", what, waiting=waiting, name=one.name)
        case "hours_never":
            return bad("campaign-hours-never", what, waiting=waiting, name=one.name)
        case "hours_far" if one.opens_at is not None:
            opens = f"{one.opens_at.astimezone(zone):%Y-%m-%d %H:%M}"
            return warning("campaign-hours-far", what, waiting=waiting, name=one.name, opens=opens)
        case "line":
            return warning("campaign-line", what, name=one.name, connection=one.connection)
        case "engine":
            reason = phrase(f"campaign.trouble.{one.engine_trouble}")
            words = detail("campaign-words", one.engine_words, words=one.engine_words)
            if one.engine_trouble in _FOR_GOOD:
                return bad(
                    "campaign-engine", what, waiting=waiting, name=one.name, reason=reason, words=words
                )
            return warning(
                "campaign-engine", what, waiting=waiting, name=one.name, reason=reason, words=words
            )
    return warning("campaign-paused", what, waiting=waiting, name=one.name)
