"""A made-up call through the draft: what it would leave in the CRM, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from gateway.admin.matrices import try_call
from gateway.decisions.dry_run import SampleCall
from gateway.store.admin.staff import staff_of
from gateway.web.frame import PageCall, PageQuery, Shown, page_not_found
from routing.matrix.model import CELLS
from routing.matrix.texts import cell_in_words
from runtime.database.pool import Conn

SAMPLE_NUMBER = "+79000001955"
RESULT_OF: Mapping[str, str] = {"answered": "answered", "answered_by_unknown": "unknown"}
"""Outcome of a row -> what the form asks for; every other is missed."""

_ICONS: Mapping[str, str] = {
    "create_contact": "user-plus",
    "create_deal": "briefcase",
    "create_lead": "inbox",
    "attach_call": "paperclip",
    "add_note": "note",
    "create_task": "checkbox",
    "update_entity": "forms",
    "show_card": "id",
    "call_client": "phone-outgoing",
}


class TriedQuery(PageQuery):
    cell: str = CELLS[0]
    number: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class TriedEffect:
    icon: str
    text: str


@dataclass(frozen=True, slots=True)
class TriedStep:
    rule: str
    text: str
    facts: str


@dataclass(frozen=True, slots=True)
class TriedDecision:
    """where: the cell that decided, in words; "" = none did."""

    where: str
    message: str
    effects: Sequence[TriedEffect]
    steps: Sequence[TriedStep]


async def show_tried(call: PageCall[TriedQuery, None]) -> Shown:
    query = call.query
    if query.cell not in CELLS:
        raise page_not_found()
    async with call.connection() as conn:
        found = await tried_call(conn, call, query.cell, query.number, query.result)
    return Shown("matrix/_tried.html", {"tried": found})


async def tried_call(
    conn: Conn, call: PageCall[Any, Any], cell: str, number: str, result: str
) -> list[TriedDecision]:
    """Return the decisions. Raise InputRefused. result: missed, answered or unknown (by nobody we know)."""
    person = None
    if result == "answered":
        known = (await staff_of(conn, call.account.id)).employees
        person = next(
            (p.extensions[0] for p in known if p.extensions and p.crm_user_id and p.is_active), None
        )
    made_up = SampleCall(
        number=number,
        line=None,
        connection="",
        at=call.now.astimezone(UTC),
        direction="outbound" if cell.startswith("outbound.") else "inbound",
        is_answered=result in ("answered", "unknown"),
        answered_by=person,
        rung=(person,) if person else (),
    )
    found = await try_call(conn, call.account.id, "draft", made_up, None, language=call.texts.language)
    return [_tried(call, one) for one in found]


def _tried(call: PageCall[Any, Any], one: Mapping[str, Any]) -> TriedDecision:
    cell = one["outcome"].get("cell")
    where = cell_in_words(cell, call.texts) if cell in CELLS else ""
    return TriedDecision(
        where=where[:1].upper() + where[1:],
        message=call.texts.word("matrix.reason", one["reason"]),
        effects=[
            TriedEffect(_ICONS.get(e["order"]["do"] if "order" in e else e["what"], "check"), e["message"])
            for e in one["effects"]
        ],
        steps=[TriedStep(s["rule_message"], s["message"], s["facts_message"]) for s in one["steps"]],
    )
