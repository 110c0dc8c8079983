"""What triggers fired on and what they did not: the latest, and each with every step that was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.decisions.explain import facts_in_words
from gateway.store.triggers.firings import FiringRow
from gateway.store.triggers.listing import FiringFilter, firing_of, item_of_firing, listed_firings
from gateway.web.distribution.log_steps import LogStep
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, Shown, page_not_found
from gateway.web.messages.seen import hidden_names
from gateway.web.messages.tabs import tabs_of
from routing.triggers.reasons import FIRING_REASONS

_ROWS = 50
_TONES: Mapping[str, str] = {"queued": "good", "failed": "bad", "reading": "warn"}


class FiringsPageQuery(PageQuery):
    """before: of the page before, the moment and the id of its last row."""

    trigger: str | None = None
    deal: str | None = None
    before_at: datetime | None = None
    before_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringLine:
    """cause: what happened, in words. message: why it fired or did not. url: of the deal in the CRM."""

    row: FiringRow
    cause: str
    message: str
    tone: str
    url: str


def firing_lines(call: AnyPageCall, rows: Sequence[FiringRow]) -> list[FiringLine]:
    return [_line(call, row) for row in rows]


def _line(call: AnyPageCall, row: FiringRow) -> FiringLine:
    reason = call.texts.word("trigger.reason", row.reason) if row.reason else ""
    if row.source == "event":
        cause = call.texts.word("trigger.on", str(row.cause["on"]))
    else:
        cause = call.texts.say(f"messages.cause.{row.source}")
    return FiringLine(
        row=row,
        cause=cause,
        message=reason or call.texts.say("messages.firing.reading"),
        tone=_TONES.get(row.state, ""),
        url=call.services.url_of(row.account_id, "deal", row.deal_id),
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
    values = {
        "tabs": tabs_of(call, "triggers"),
        "firings": firing_lines(call, rows[:_ROWS]),
        "last": rows[_ROWS - 1] if len(rows) > _ROWS else None,
        "query": query,
    }
    return Shown("messages/firings.html", values)


async def firing(call: PageCall) -> Shown:
    async with call.connection() as conn:
        row = await firing_of(conn, call.account.id, call.path["firing"])
        if row is None or row.trigger in (await hidden_names(call, conn)).triggers:
            raise page_not_found("firing")
        item = await item_of_firing(conn, call.account.id, row.firing_id)
    values = {
        "tabs": tabs_of(call, "triggers"),
        "line": _line(call, row),
        "steps": [_step(call, step) for step in row.steps],
        "item": item,
    }
    return Shown("messages/firing.html", values)


def _step(call: AnyPageCall, step: Mapping[str, Any]) -> LogStep:
    because = step["because"]
    kind = "reason" if because in FIRING_REASONS else "step"
    verdict = step["verdict"]
    is_bad = because in ("not_met_by", "not_known")
    return LogStep(
        icon="x" if is_bad else "check",
        title=call.texts.word(f"trigger.{kind}", because),
        text=facts_in_words(step["facts"], call.texts, call.zone),
        verdict=call.texts.say(f"messages.verdict.{'excluded' if is_bad else verdict}"),
        kind="decided" if verdict == "decided" else "excluded" if is_bad else "",
    )
