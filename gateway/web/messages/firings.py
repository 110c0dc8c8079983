"""What triggers fired on and what they did not: the latest, and each with every step that was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.admin.outbound.items import gate_of, item_message
from gateway.decisions.explain import facts_in_words
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.outbound.items import OutboundItem
from gateway.store.triggers.firings import FiringRow
from gateway.store.triggers.listing import FiringFilter, firing_of, items_of_firings, listed_firings
from gateway.web.distribution.log_steps import LogStep
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, Shown, page_not_found
from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.seen import hidden_names
from gateway.web.messages.tabs import tabs_of
from routing.triggers.reasons import FIRING_REASONS
from runtime.database.pool import Conn

_ROWS = 50
_TONES: Mapping[str, str] = {"queued": "good", "failed": "bad", "reading": "warn"}
_TONES_OF_ITEMS: Mapping[str, str] = {
    "succeeded": "good",
    "failed": "bad",
    "unknown": "warn",
    "expired": "warn",
}


class FiringsPageQuery(PageQuery):
    """before: of the page before, the moment and the id of its last row."""

    trigger: str | None = None
    deal: str | None = None
    before_at: datetime | None = None
    before_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringLine:
    """cause: what happened, in words. message: why it did not fire, else what became of what it ordered, at the moment `at`.
    url: of the deal in the CRM."""

    row: FiringRow
    cause: str
    message: str
    tone: str
    url: str
    at: datetime | None


async def firing_lines(call: AnyPageCall, conn: Conn, rows: Sequence[FiringRow]) -> list[FiringLine]:
    items = await items_of_firings(conn, call.account.id, [row.firing_id for row in rows])
    return [_line(call, row, items.get(row.firing_id)) for row in rows]


def _line(call: AnyPageCall, row: FiringRow, item: OutboundItem | None) -> FiringLine:
    reason = call.texts.word("trigger.reason", row.reason) if row.reason else ""
    if row.source == "event":
        cause = call.texts.word("trigger.on", str(row.cause["on"]))
    else:
        cause = call.texts.say(f"messages.cause.{row.source}")
    return FiringLine(
        row=row,
        cause=cause,
        message=_outcome(call, item) if item else reason or call.texts.say("messages.firing.reading"),
        tone=_TONES_OF_ITEMS.get(item.state, "") if item else _TONES.get(row.state, ""),
        at=item.ended_at if item else None,
        url=call.services.url_of(row.account_id, "deal", row.deal_id),
    )


def _outcome(call: AnyPageCall, item: OutboundItem) -> str:
    return call.texts.say(
        "messages.firing.outcome",
        kind=call.texts.say(f"messages.kind.{item.kind}"),
        what=item_message(item, call.texts, gate_of(call.account)),
    )


async def firings(call: PageCall[FiringsPageQuery, None]) -> Shown:
    query = call.query
    is_placed = query.before_at is not None and query.before_id is not None
    async with call.connection() as conn:
        hidden = await hidden_names(call, conn)
        wanted = FiringFilter(
            trigger=query.trigger,
            deal_id=query.deal,
            without=hidden.triggers,
            after=(query.before_at, query.before_id) if is_placed else None,  # type: ignore[arg-type]
        )
        rows = await listed_firings(conn, call.account.id, wanted, limit=_ROWS + 1)
        lines = await firing_lines(call, conn, rows[:_ROWS])
    values = {
        "tabs": tabs_of(call, "triggers"),
        "firings": lines,
        "last": rows[_ROWS - 1] if len(rows) > _ROWS else None,
        "query": query,
    }
    return Shown("messages/firings.html", values)


async def firing(call: PageCall) -> Shown:
    async with call.connection() as conn:
        row = await firing_of(conn, call.account.id, call.path["firing"])
        if row is None or row.trigger in (await hidden_names(call, conn)).triggers:
            raise page_not_found("firing")
        [line] = await firing_lines(call, conn, [row])
        known = KnownNames.of(await catalogue_of(conn, call.account.id))
    values = {
        "tabs": tabs_of(call, "triggers"),
        "line": line,
        "steps": [_step(call, step, known) for step in row.steps],
    }
    return Shown("messages/firing.html", values)


def _step(call: AnyPageCall, step: Mapping[str, Any], known: KnownNames) -> LogStep:
    because = step["because"]
    facts = _facts_named(call, step["facts"], known)
    kind = "reason" if because in FIRING_REASONS else "step"
    verdict = step["verdict"]
    is_bad = because in ("not_met_by", "not_known")
    return LogStep(
        icon="x" if is_bad else "check",
        title=call.texts.word(f"trigger.{kind}", because),
        text=facts_in_words(facts, call.texts, call.zone),
        verdict=call.texts.say(f"messages.verdict.{'excluded' if is_bad else verdict}"),
        kind="decided" if verdict == "decided" else "excluded" if is_bad else "",
    )


def _facts_named(call: AnyPageCall, facts: Mapping[str, Any], known: KnownNames) -> dict[str, Any]:
    """Return them with names for ids, and without the key that tells one cause from another."""
    named = {name: value for name, value in facts.items() if name != "cause_key"}
    pipeline, stage, cause = str(facts.get("pipeline")), str(facts.get("stage")), facts.get("cause")
    if pipeline in known.pipelines:
        named["pipeline"] = known.pipelines[pipeline]
    if (pipeline, stage) in known.stages:
        named["stage"] = known.stages[pipeline, stage]
    if f"trigger.on.{cause}" in call.texts.sentences:
        named["cause"] = call.texts.word("trigger.on", str(cause))
    return named
