"""What there is to see of channels after a run: our tables, and the CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.channels.records import ChannelName, token_of
from tests.chaos.channels.shop import IDS, TENANT, Shop

Row = Mapping[str, Any]

_OURS = {
    "messages": "SELECT * FROM chat_message WHERE account_id = $1 ORDER BY at, sequence, message_id",
    "dialogues": "SELECT * FROM dialogue WHERE account_id = $1",
    "effects": 'SELECT effect_key, what, state, crm_id, error_code, client, sent_at, done_at, "order" FROM effect'
    " WHERE account_id = $1 ORDER BY seq",
    "updates": "SELECT channel_id, about, state, error FROM channel_update WHERE account_id = $1"
    " AND state IN ('dead', 'early')",
    "gaps": "SELECT channel_id, from_at, to_at, state, found FROM channel_gap WHERE account_id = $1",
}
_CRM = ("contact", "deal", "lead", "note")
_NAMES: Mapping[str, ChannelName] = {id: name for name, id in IDS.items()}


@dataclass
class SeenChannels:
    """messages, dialogues, effects, updates, gaps: rows of ours; a message and a dialogue with `channel` and `chat` as the messengers
    call them, and a message with `text` and `token`. contacts, deals, leads, notes: the CRM's. ledger: every request to it. since: seconds
    of the clock at which the run began. lowered: statuses that were."""

    messages: Sequence[Row] = ()
    dialogues: Sequence[Row] = ()
    effects: Sequence[Row] = ()
    updates: Sequence[Row] = ()
    gaps: Sequence[Row] = ()
    contacts: Sequence[Row] = ()
    deals: Sequence[Row] = ()
    leads: Sequence[Row] = ()
    notes: Sequence[Row] = ()
    ledger: Sequence[Mapping[str, Any]] = ()
    since: float = 0.0
    lowered: Sequence[str] = field(default_factory=tuple)


async def gather(shop: Shop, since: float, lowered: Sequence[str]) -> SeenChannels:
    site = shop.site
    ours = {name: [dict(row) for row in await site.fetch(sql, TENANT.account)] for name, sql in _OURS.items()}
    crm = {f"{kind}s": (await site.crm(TENANT, f"state?kind={kind}"))["rows"] for kind in _CRM}
    ledger = (await site.crm(TENANT, "ledger?since=0"))["requests"]
    chats = {row["dialogue_id"]: row["chat_id"] for row in ours["dialogues"]}
    for row in ours["dialogues"]:
        row |= {"channel": _NAMES[row["channel_id"]], "chat": row["chat_id"]}
    for row in ours["messages"]:
        text = "\n".join(part.get("text", "") for part in row["parts"])
        row |= {
            "channel": _NAMES[row["channel_id"]], "chat": chats[row["dialogue_id"]], "text": text, "token": token_of(text),
        }  # fmt: skip
    return SeenChannels(**ours, **crm, ledger=ledger, since=since, lowered=lowered)
