"""A number is refused by its campaign: its item ends, and the deal says why, where somebody has to act."""

from __future__ import annotations

from campaigns.reasons import MemberReason
from campaigns.refusal import NOTED, refusal_note
from crm.effects.order import order
from crm.lane import Lane
from gateway.store.admin.accounts import account as account_of
from gateway.store.campaigns import adding
from gateway.store.campaigns.adding import ToAdd
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
