"""A stored decision in plain words: what was decided, each step with its facts, and what became of it in the CRM."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm.effects.owners import OWNER, refused_owners
from gateway.store.admin.accounts import account
from gateway.store.calls.missed_calls import CrmPerson, completed_by, crm_person
from gateway.store.crm_events.work import author_of
from gateway.store.decisions.decisions import DecisionRow, EffectRow, Explained, NoSuchDecision
from gateway.store.decisions.decisions import explain as stored
from gateway.texts.sentences import TEXTS
from routing.decision import Step
from routing.matrix.reasons import rule_phrase, step_in_words
from routing.matrix.texts import row_phrase
from routing.texts.catalogue import Language, Texts, Value
from runtime.database.pool import Conn

UrlOf = Callable[[str, str, str], str]

_PIPELINE_RULE = re.compile(r"rule (\d+)(.*)", re.DOTALL)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_KIND_OF = {
    "create_contact": "contact",
    "create_deal": "deal",
    "create_lead": "lead",
}


async def explain(
    conn: Conn,
    id: str,
    account_id: str | None = None,
    url_of: UrlOf | None = None,
    language: Language | None = None,
) -> list[dict[str, Any]]:
    """Return the decision of this id, or all of the call of this id, oldest first; empty when there is none.

    language: else the account's.
    """
    try:
        found = await stored(conn, account_id, id)
    except NoSuchDecision:
        return []
    if not found:
        return []
    whose = await account(conn, found[0].decision.account_id)
    texts, zone = TEXTS[language or whose.settings.language], ZoneInfo(whose.time_zone)
    return [explained(item, texts, zone, url_of, await _author(conn, item.decision)) for item in found]


async def _author(conn: Conn, row: DecisionRow) -> CrmPerson | None:
    """Who changed the case's task in the CRM, where this decision follows that: the feed may tell it only afterwards."""
    told = (row.inputs.get("task") or {}) if row.kind == "case" else {}
    user = told.get("by_user")
    if user is None and told.get("event_id") is not None:
        user = await author_of(conn, row.account_id, told["event_id"])
    if user is not None:
        return await crm_person(conn, row.account_id, user)
    case = _closed_case(row) if told else None
    return await completed_by(conn, row.account_id, case["id"]) if case else None


def _closed_case(row: DecisionRow) -> Mapping[str, Any] | None:
    """Return the case as this decision left it, where it is closed."""
    case = row.outcome.get("case") if row.kind == "case" else None
    return case if case and case.get("state") == "closed" else None


def explained(
    item: Explained,
    texts: Texts,
    zone: ZoneInfo,
    url_of: UrlOf | None = None,
    author: CrmPerson | None = None,
) -> dict[str, Any]:
    """Return the form that the API, the command line and the dry run share. zone: the account's, by whose clocks people read.
    author: who changed the case's task in the CRM."""
    row = item.decision
    return {
        "account": row.account_id,
        "decision_id": row.decision_id,
        "kind": row.kind,
        "kind_message": texts.word("explain.kind", row.kind),
        "at": row.at.isoformat(),
        "call_id": row.call_id,
        "joined_by": item.joined_by,
        "client": row.client,
        "reason": row.reason,
        "message": _message(row, texts, author),
        "outcome": dict(row.outcome),
        "steps": [step_in_full(row.kind, step, texts, zone, author) for step in row.steps],
        "inputs": dict(row.inputs),
        "effects": [_effect(row.account_id, effect, texts, url_of) for effect in item.effects],
    }


def step_in_full(
    kind: str, step: Mapping[str, Any], texts: Texts, zone: ZoneInfo, author: CrmPerson | None = None
) -> dict[str, Any]:
    """One step with its words and those of its facts beside the codes. kind: of the decision. zone, author: as of `explained`."""
    facts = dict(step["facts"])
    if author is not None and "by_user" in facts:
        facts["by_user"] = facts["by_user"] or author.id
    named = {**facts, "by_user": author.name} if author and facts.get("by_user") == author.id else facts
    return {
        **step,
        "facts": facts,
        "rule_message": _rule(step["rule"], texts),
        "verdict_message": texts.word("verdict", step["verdict"]),
        "message": step_message(kind, step, texts),
        "facts_message": facts_in_words(named, texts, zone),
    }


def _rule(rule: str, texts: Texts) -> str:
    """Return the part of the decision that a step is about, in words; one that is not known keeps its name."""
    if f"rule.{rule}" in texts.sentences:
        return texts.word("rule", rule)
    said = rule_phrase(rule)
    return said if isinstance(said, str) else texts.render(said)


def step_message(kind: str, step: Mapping[str, Any], texts: Texts) -> str:
    """One step in words; the code stays beside it. kind: of the decision."""
    because = str(step["because"])
    if kind == "matrix" and step["rule"] == "client" and f"lookup.reason.{because}" in texts.sentences:
        return texts.word("lookup.reason", because)
    if kind == "matrix":
        return step_in_words(Step(step["rule"], step["verdict"], because, step["facts"]), texts)
    for prefix in (f"{kind}.step", f"{kind}.reason", "distribution.step"):
        if f"{prefix}.{because}" in texts.sentences:
            return texts.word(prefix, because)
    return because


def facts_in_words(facts: Mapping[str, Any], texts: Texts, zone: ZoneInfo) -> str:
    """Return what a step knew, in one line; what is known by no word keeps its name. zone: by whose clocks moments are told."""
    told = (
        texts.say("fact", what=_fact(name, texts), value=_value(name, value, texts, zone))
        for name, value in facts.items()
    )
    return "; ".join(told)


def _fact(name: str, texts: Texts) -> str:
    return texts.word("fact", name) if f"fact.{name}" in texts.sentences else name


def _value(name: str, value: Any, texts: Texts, zone: ZoneInfo) -> str:
    if value is None or value == "":
        return texts.say("fact-value.not-told-yet" if name == "by_user" else "fact-value.none")
    if isinstance(value, bool):
        return texts.say("fact-value.yes" if value else "fact-value.no")
    if isinstance(value, str):
        if name == "pipeline_by" and (rule := _PIPELINE_RULE.fullmatch(value)):
            return texts.say("fact-value.pipeline-rule", number=rule[1], name=rule[2])
        for prefix in (f"fact-value.{name}", "fact-value", "matrix.owner", "entity"):
            if f"{prefix}.{value}" in texts.sentences:
                return texts.word(prefix, value)
        if _INSTANT.fullmatch(value):
            return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"
    return str(value)


def _message(row: DecisionRow, texts: Texts, author: CrmPerson | None = None) -> str:
    because = texts.word(f"{row.kind}.reason", row.reason).rstrip(".")
    if row.kind == "lookup":
        outcome = str(row.outcome.get("outcome"))
        return texts.say(
            "explain.lookup", outcome=outcome, because=because, reason=row.reason, rings=_rings(row, texts)
        )
    if row.kind == "matrix" and "row" in row.outcome:  # without a client no table is asked
        return texts.say("explain.matrix", because=because, reason=row.reason, **_place(row, texts))
    closed = _closed_case(row)
    if closed and row.reason in ("case_closed", "case_closed_in_crm"):
        who = closed.get("closed_by") or (author.name if author else texts.say("explain.nobody-named"))
        call = closed.get("closed_by_call")
        by_call = texts.say("explain.by-call", call=call) if call else ""
        return texts.say("explain.closed", because=because, reason=row.reason, who=who, call=by_call)
    return texts.say("explain.other", because=because, reason=row.reason)


def _rings(row: DecisionRow, texts: Texts) -> str:
    targets = tuple(str(t.get("address")) for t in row.outcome.get("targets", ()))
    return texts.say("explain.rings", targets=targets) if targets else texts.say("explain.scheme")


def _place(row: DecisionRow, texts: Texts) -> dict[str, Value]:
    """Which row of which version, and when; an old decision may lack what is known today."""
    outcome = row.outcome
    cell, moment = str(outcome.get("row")), str(outcome.get("moment"))
    return {
        "row": row_phrase(cell) if cell.count(".") == 2 else cell,
        "moment": texts.word("matrix.moment", moment),
        "version": str(outcome.get("version")),
    }


def _effect(account_id: str, effect: EffectRow, texts: Texts, url_of: UrlOf | None) -> dict[str, Any]:
    kind = _KIND_OF.get(effect.what)
    target: Mapping[str, Any] = effect.order.get("target") or {}
    entity_kind = kind or target.get("kind")
    entity_id = effect.crm_id if kind else target.get("id")
    return {
        "key": effect.key,
        "what": effect.what,
        "state": effect.state,
        "message": _effect_message(effect, texts),
        "crm_id": effect.crm_id,
        "url": url_of(account_id, entity_kind, entity_id) if url_of and entity_kind and entity_id else None,
        "order": dict(effect.order),
        "error": None
        if effect.error_code is None
        else {"code": effect.error_code, "field": effect.error_field, "detail": effect.error_detail},
    }


def _effect_message(effect: EffectRow, texts: Texts) -> str:
    refused = refused_owners(effect.crm_extra)
    if not refused:
        return _fate(effect, texts)
    owner = effect.crm_extra.get(OWNER) or texts.say("effect.nobody")
    handed_on = texts.say("effect.handed-on", refused=", ".join(refused), owner=owner)
    return f"{_fate(effect, texts)} {handed_on}"


def _fate(effect: EffectRow, texts: Texts) -> str:
    ordered = texts.word("order.do", effect.what)
    if effect.state == "done":
        found = texts.say("effect.found") if effect.was_found else ""
        done = texts.word("order.done", effect.what)
        return texts.say(
            "effect.done", what=done, id=effect.crm_id or texts.say("effect.done-without-id"), found=found
        )
    if effect.state == "dead":
        field = texts.say("effect.field", field=effect.error_field) if effect.error_field else ""
        code, detail = effect.error_code or "", effect.error_detail or ""
        return texts.say("effect.dead", what=ordered, code=code, field=field, detail=detail).strip()
    return texts.say("effect.open", what=ordered, state=texts.word("effect.state", effect.state))
