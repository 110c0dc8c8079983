"""Which template of distribution stands behind a campaign or a trigger: it says whose phones ring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from campaigns.model import CampaignSettings
from gateway.store.campaigns.campaigns import campaigns_of
from gateway.store.triggers.triggers import triggers_of
from routing.triggers.model import AddToCampaign, CallBack, ToTemplate, Trigger
from runtime.database.pool import Conn


class BehindThem(NamedTuple):
    """By name; those without a template are not there."""

    campaigns: Mapping[str, str]
    triggers: Mapping[str, str]


async def templates_behind(conn: Conn, account_id: str) -> BehindThem:
    campaigns = await templates_of_campaigns(conn, account_id)
    triggers = {s.name: behind_trigger(s.trigger, campaigns) for s in await triggers_of(conn, account_id)}
    return BehindThem(campaigns, {name: template for name, template in triggers.items() if template})


async def templates_of_campaigns(conn: Conn, account_id: str) -> dict[str, str]:
    """By the campaign's name; those without a template are not there."""
    found = {row.name: behind_campaign(row.settings) for row in await campaigns_of(conn, account_id)}
    return {name: template for name, template in found.items() if template}


def behind_campaign(settings: CampaignSettings) -> str | None:
    return settings.target.name if isinstance(settings.target, ToTemplate) else None


def behind_trigger(trigger: Trigger, campaigns: Mapping[str, str]) -> str | None:
    """campaigns: template by campaign."""
    action = trigger.action
    if isinstance(action, CallBack) and isinstance(action.target, ToTemplate):
        return action.target.name
    return campaigns.get(action.campaign) if isinstance(action, AddToCampaign) else None
