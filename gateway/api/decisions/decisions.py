"""What was decided and why; and what would be decided for a number now."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from gateway.admin.input_words import refuse_no_number
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, Route, may_see, not_found
from gateway.api.sent_time import SentTime
from gateway.decisions.explain import explain, step_in_full
from gateway.decisions.explain_firing import explain_any
from gateway.lookup.decided import decide_lookup
from gateway.lookup.endpoint import answer_of
from gateway.pbx.port import LookupRequest
from gateway.store.decisions import decisions as store
from gateway.texts.sentences import TEXTS
from routing.lookup.available import ANYBODY
from routing.lookup.decide import LookupDecision
from routing.numbers.normalise import PublicNumber, normalise
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn


class AccountLanguageQuery(Body):
    lang: Annotated[Language | None, Field(description="of the words; else the account's")] = None


class LookupQuery(AccountLanguageQuery):
    phone: Annotated[str, Field(max_length=200, description="in any spelling")]
    did: Annotated[str, Field(max_length=200)] | None = None
    connection: Annotated[str, Field(max_length=63, description="as this PBX would ask")] | None = None
    account: Annotated[str, Field(max_length=63)] | None = None


class StepView(Answer):
    """because: a code of a closed set; message: the same in words. facts_message, rule_message, verdict_message: the others in words."""

    rule: str
    verdict: str
    because: str
    message: str
    facts: dict[str, str | int | bool | None]
    facts_message: str
    rule_message: str
    verdict_message: str


class LookupAnswer(Answer):
    """The answer that the PBX would get, with its steps; it is not recorded. language: of the words; message: the reason in words."""

    decision_id: str
    caller: str | None
    outcome: str
    reason: str
    entity: dict[str, Any] | None
    responsible: dict[str, Any] | None
    targets: list[dict[str, Any]]
    directory_age_ms: int | None
    language: Language
    message: str
    steps: list[StepView]


class DecisionsQuery(Body):
    account: Annotated[str, Field(max_length=63)] | None = None
    kind: Annotated[str, Field(max_length=40)] | None = None
    client: Annotated[str, Field(max_length=40, description="phone number in any spelling")] | None = None
    call: Annotated[str, Field(max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[SentTime, Field(description="`next` of the page before")] | None = None


class DecisionLine(Answer):
    decision_id: str
    account: str
    kind: str
    at: datetime
    call_id: str | None
    client: str | None
    reason: str


class EffectView(Answer):
    key: str
    what: str
    state: str
    message: str
    crm_id: str | None
    url: str | None
    order: dict[str, Any]
    error: dict[str, Any] | None


class DecisionView(DecisionLine):
    """says, and each effect's says: in plain words. inputs: all that the decision was computed from. joined_by: of the PBX's question
    about the call that was asked for: `id` where the question named the call, `time` where client, line and the seconds are the same."""

    kind_message: str
    joined_by: str | None = None
    message: str
    outcome: dict[str, Any]
    steps: list[StepView]
    inputs: dict[str, Any]
    effects: list[EffectView]


async def lookup(call: ApiCall[LookupQuery, None]) -> LookupAnswer:
    query = call.query
    refuse_no_number("did", query.did)
    snapshot = call.services.configuration.now
    connection = snapshot.connections.get(query.connection) if query.connection else None
    if query.connection and (connection is None or call.who.account_id not in (None, connection.account_id)):
        raise ApiError(400, "invalid-input", "There is no such connection.", field="connection")
    account_id = connection.account_id if connection else _account_of(call, query.account)
    policy = snapshot.policies[connection.name] if connection else snapshot.policy_of(account_id)
    decided = decide_lookup(
        "",
        time.time(),
        LookupRequest(query.phone, query.did),
        account_id=account_id,
        policy=policy,
        snapshot=snapshot,
        directory=call.services.directories.get(account_id),
        available=call.services.people.get(account_id, ANYBODY),
    )
    answer = answer_of(decided, account_id, call.services.url_of)
    language = call.query.lang or snapshot.accounts[account_id].settings.language
    return LookupAnswer.model_validate(
        {
            **answer,
            "language": language,
            "message": TEXTS[language].word("lookup.reason", decided.decision.reason),
            "steps": _steps(decided.decision, TEXTS[language], snapshot.accounts[account_id].time_zone),
        }
    )


def _steps(decision: LookupDecision, texts: Texts, zone: str) -> list[dict[str, Any]]:
    steps = [step.as_json() for step in decision.steps]
    return [step_in_full("lookup", step, texts, ZoneInfo(zone)) for step in steps]


def _account_of(call: AnyCall, asked: str | None) -> str:
    seen = [a for a in call.services.configuration.now.accounts if call.who.account_id in (None, a)]
    if asked is not None:
        if asked not in seen:
            raise ApiError(400, "invalid-input", "There is no such account.", field="account")
        return asked
    if not seen:
        raise ApiError(400, "invalid-input", "No account is connected yet.", field="account")
    return seen[0]


def template_of(row: store.DecisionRow) -> str | None:
    """Return the template of distribution that decided, None for other decisions."""
    return row.outcome.get("template") if row.kind == "distribution" else None


async def list_decisions(call: ApiCall[DecisionsQuery, None]) -> Items[DecisionLine]:
    query = call.query
    account_id = _account_of(call, query.account)
    client = None if query.client is None else _e164(call, account_id, query.client)
    async with call.services.pool.acquire() as conn:
        if query.call is not None:
            found = await store.decisions_of_call(conn, account_id, query.call)
            rows = [r for r in found if query.kind in (None, r.kind) and client in (None, r.client)]
        elif client is not None:
            rows = await store.decisions_of_client(
                conn, account_id, client, kind=query.kind, before=query.after, limit=query.limit
            )
        else:
            rows = await store.latest_decisions(
                conn, account_id, kind=query.kind, before=query.after, limit=query.limit
            )
    more = len(rows) == query.limit and query.call is None
    return Items[DecisionLine](
        items=[_line(row) for row in rows if may_see(call, template_of(row))],
        next=rows[-1].at.isoformat() if more else None,
    )


def _e164(call: ApiCall[DecisionsQuery, None], account_id: str, spelled: str) -> str:
    number = normalise(spelled, call.services.configuration.now.policy_of(account_id))
    if not isinstance(number, PublicNumber):
        raise ApiError(400, "invalid-input", "This is not a phone number.", field="client")
    return number.e164


def _line(row: store.DecisionRow) -> DecisionLine:
    return DecisionLine(
        decision_id=row.decision_id,
        account=row.account_id,
        kind=row.kind,
        at=row.at,
        call_id=row.call_id,
        client=row.client,
        reason=row.reason,
    )


async def show_decision(call: ApiCall[AccountLanguageQuery, None]) -> DecisionView:
    async with call.services.pool.acquire() as conn:
        found = await explain_any(
            conn, call.path["decision"], call.who.account_id, call.services.url_of, call.query.lang
        )
        if found and not await _may_see_decision(call, conn):
            found = []
    for item in found:
        if item["decision_id"] == call.path["decision"]:
            return DecisionView.model_validate(item)
    raise not_found("decision", call.path["decision"])


async def _may_see_decision(call: AnyCall, conn: Conn) -> bool:
    with contextlib.suppress(store.NoSuchDecision):  # of a call's id, which is no decision's
        row = await store.decision(conn, call.who.account_id, call.path["decision"])
        return may_see(call, template_of(row))
    return True


async def explain_call(call: ApiCall[AccountLanguageQuery, None]) -> Items[DecisionView]:
    async with call.services.pool.acquire() as conn:
        found = await explain(conn, call.path["call"], call.account.id, call.services.url_of, call.query.lang)
    if not found:
        raise not_found("call", call.path["call"])
    return Items[DecisionView](items=[DecisionView.model_validate(item) for item in found])


ROUTES = (
    Route(
        method="GET",
        path="/v1/lookup",
        handler=lookup,
        summary="What a PBX would be told for a number, with every step",
        role="read_only",
    ),
    Route(
        method="GET",
        path="/v1/decisions",
        handler=list_decisions,
        summary="Decisions, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path="/v1/decisions/{decision}",
        handler=show_decision,
        summary="One decision: every step, in plain words, and what it became in the CRM",
        role="read_only",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account}/calls/{call}/explanation",
        handler=explain_call,
        summary="All decisions of one call",
        role="read_only",
    ),
)
