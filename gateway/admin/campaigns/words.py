"""Campaigns and who is in them, in words."""

from __future__ import annotations

from campaigns.reasons import MEMBER_REASONS
from gateway.store.campaigns.campaigns import CampaignRow
from routing.texts.catalogue import Texts


def campaign_in_words(row: CampaignRow, texts: Texts) -> str:
    """Say where it stands, and why."""
    message = texts.word("campaign.state", row.state)
    return f"{message}: {texts.word('campaign.reason', row.reason)}" if row.reason else message


def member_reason_in_words(reason: str, texts: Texts) -> str:
    """Return it, empty where there is none."""
    kind = "campaign.member" if reason in MEMBER_REASONS else "outbound.reason"
    return texts.word(kind, reason) if f"{kind}.{reason}" in texts.sentences else ""
