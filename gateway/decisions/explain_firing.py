"""A firing of a trigger in plain words, in the form in which decisions are explained."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from gateway.decisions.explain import UrlOf, explain, step_in_full
from gateway.store.admin.accounts import account
from gateway.store.triggers.firings import FiringRow
from gateway.store.triggers.listing import firing_anywhere, item_of_firing
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn


async def explain_any(
    conn: Conn,
    id: str,
    account_id: str | None = None,
    url_of: UrlOf | None = None,
    language: Language | None = None,
) -> list[dict[str, Any]]:
    """As `explain`; of a firing's id, that firing."""
    if found := await explain(conn, id, account_id, url_of, language):
        return found
    row = await firing_anywhere(conn, account_id, id)
    if row is None:
        return []
    whose = await account(conn, row.account_id)
    texts = TEXTS[language or whose.settings.language]
    return [await explained_firing(conn, row, texts, ZoneInfo(whose.time_zone))]


async def explained_firing(conn: Conn, row: FiringRow, texts: Texts, zone: ZoneInfo) -> dict[str, Any]:
    """outcome: what became of it; item: what it put into the queue. zone: by whose clocks moments are told."""
    item = await item_of_firing(conn, row.account_id, row.firing_id)
    return {
        "account": row.account_id,
        "decision_id": row.firing_id,
        "kind": "trigger",
        "kind_message": texts.word("explain.kind", "trigger"),
        "at": row.created_at.isoformat(),
        "call_id": None,
        "client": None,
        "reason": row.reason,
        "message": texts.word("trigger.reason", row.reason) if row.reason else "",
        "outcome": {
            "trigger": row.trigger,
            "version": row.version,
            "deal": row.deal_id,
            "state": row.state,
            "source": row.source,
            "item": item,
        },
        "steps": [step_in_full("trigger", step, texts, zone) for step in row.steps],
        "inputs": {"cause": dict(row.cause), "cause_key": row.cause_key},
        "effects": [],
    }
