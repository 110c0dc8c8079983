"""A stored decision in plain words: what was decided, each step with its facts, and what became of it in the CRM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.store.decisions.decisions import DecisionRow, EffectRow, Explained, NoSuchDecision
from gateway.store.decisions.decisions import explain as stored
from runtime.database.pool import Conn

UrlOf = Callable[[str, str, str], str]

_KIND_OF = {
    "create_contact": "contact",
    "create_deal": "deal",
    "create_lead": "lead",
}
_DONE = {
    "create_contact": "contact created",
    "create_deal": "deal created",
    "create_lead": "incoming lead created",
    "attach_call": "call attached",
    "add_note": "note added",
    "create_task": "task created",
    "change_task": "task changed",
    "update_entity": "entity updated",
    "show_card": "card shown",
}
_ORDERED = {
    "create_contact": "create a contact",
    "create_deal": "create a deal",
    "create_lead": "create an incoming lead",
    "attach_call": "attach the call",
    "add_note": "add a note",
    "create_task": "create a task",
    "change_task": "change the task",
    "update_entity": "update an entity",
    "show_card": "show the card",
}
_STATES = {
    "waiting": "waits for its turn",
    "sending": "is being sent",
    "unknown": "was sent, the outcome is being looked up",
    "skipped": "was not wanted any more",
    "held": "is held until the account is reactivated",
    "dry_run": "would be ordered",
    "expired": "is older than the window that was sent after the reactivation",
}


async def explain(
    conn: Conn, id: str, account_id: str | None = None, url_of: UrlOf | None = None
) -> list[dict[str, Any]]:
    """The decision of this id, or all of the call of this id, oldest first; empty when there is none."""
    try:
        found = await stored(conn, account_id, id)
    except NoSuchDecision:
        return []
    return [explained(item, url_of) for item in found]


def explained(item: Explained, url_of: UrlOf | None = None) -> dict[str, Any]:
    """The form that the API, the command line and the dry run share."""
    row = item.decision
    return {
        "account": row.account_id,
        "decision_id": row.decision_id,
        "kind": row.kind,
        "at": row.at.isoformat(),
        "call_id": row.call_id,
        "client": row.client,
        "reason": row.reason,
        "message": _says(row),
        "outcome": dict(row.outcome),
        "steps": [dict(step) for step in row.steps],
        "inputs": dict(row.inputs),
        "effects": [_effect(row.account_id, effect, url_of) for effect in item.effects],
    }


def _says(row: DecisionRow) -> str:
    outcome = row.outcome
    if row.kind == "lookup":
        targets = ", ".join(str(t.get("address")) for t in outcome.get("targets", ()))
        return f"{outcome.get('outcome')} ({row.reason})" + (f", rings {targets}" if targets else "")
    if row.kind == "matrix":
        return f"row {outcome.get('row')}, moment {outcome.get('moment')}, version {outcome.get('version')} ({row.reason})"
    return row.reason


def _effect(account_id: str, effect: EffectRow, url_of: UrlOf | None) -> dict[str, Any]:
    kind = _KIND_OF.get(effect.what)
    target: Mapping[str, Any] = effect.order.get("target") or {}
    entity_kind = kind or target.get("kind")
    entity_id = effect.crm_id if kind else target.get("id")
    return {
        "key": effect.key,
        "what": effect.what,
        "state": effect.state,
        "message": _effect_says(effect),
        "crm_id": effect.crm_id,
        "url": url_of(account_id, entity_kind, entity_id) if url_of and entity_kind and entity_id else None,
        "order": dict(effect.order),
        "error": None
        if effect.error_code is None
        else {"code": effect.error_code, "field": effect.error_field, "detail": effect.error_detail},
    }


def _effect_says(effect: EffectRow) -> str:
    if effect.state == "done":
        found = " (it was there already)" if effect.was_found else ""
        return f"{_DONE.get(effect.what, effect.what)}: {effect.crm_id or 'done'}{found}"
    if effect.state == "dead":
        where = f", field {effect.error_field}" if effect.error_field else ""
        return f"{_ORDERED.get(effect.what, effect.what)}: refused ({effect.error_code}{where}) {effect.error_detail or ''}".strip()
    return f"{_ORDERED.get(effect.what, effect.what)}: {_STATES.get(effect.state, effect.state)}"
