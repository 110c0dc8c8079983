"""A number is refused by its campaign: its item ends, and the deal says why, where somebody has to act."""

from __future__ import annotations

from campaigns.reasons import MemberReason
from campaigns.refusal import NOTED, refusal_note
from crm.effects.order import order
from crm.lane import Lane
from gateway.store.admin.accounts import account as account_of
from gateway.store.campaigns import adding
from gateway.store.campaigns.adding import ToAdd
from gateway.store.outbound.items import lock
from gateway.texts.sentences import TEXTS
from routing.decision import decision_id_of
from runtime.database.pool import Conn


async def refuse(conn: Conn, item: ToAdd, reason: MemberReason) -> None:
    """End it in the caller's transaction, which holds it."""
    await adding.refuse(conn, item, reason)
    if item.deal_id is None or reason not in NOTED:
        return
    account = await account_of(conn, item.account_id)
    texts = TEXTS[account.settings.language]
    why = texts.word("campaign.member", reason)
    text = texts.say("campaign.not-added", campaign=item.campaign, why=why)
    await order(
        conn,
        account_id=item.account_id,
        decision_id=decision_id_of(item.account_id, "outbound", item.item_id),
        call_id=None,
        client=f"item:{item.item_id}",
        lane=Lane.EVENTS,
        effects=(refusal_note(item.item_id, item.deal_id, text),),
        held=account.state != "on",
    )


async def refuse_open(
    conn: Conn, campaign: str, account_id: str, item_id: str | None, reason: MemberReason
) -> None:
    """Refuse one that had come in and could not be put into a contact centre's campaign, unless it has ended."""
    item = await lock(conn, account_id, item_id or "")
    if item is None or item.ended_at is not None:
        return
    to_add = ToAdd(
        account_id=account_id,
        item_id=item.item_id,
        campaign=campaign,
        deal_id=item.deal_id,
        contact_id=item.contact_id,
        created_at=item.created_at,
    )
    await refuse(conn, to_add, reason)
