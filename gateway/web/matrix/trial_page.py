"""The trial: what the calls of both sides came to, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from gateway.admin.matrix import trials
from gateway.admin.matrix.trials import ComparedTrial
from gateway.store.calls.trials import SideFigures
from gateway.web.frame import Form, PageCall, PageQuery, SeeOther, Shown
from gateway.web.matrix.seen import see_draft
from gateway.web.matrix.table_page import trial_part
from routing.orders import ORDER_KINDS
from routing.texts.catalogue import Texts, phrase
from runtime.database.pool import Conn

_FIGURES = ("calls", "clients", "answered", "missed", "not_reached")


class TrialEndForm(Form):
    outcome: Literal["published", "taken_back"]
    why: str = Field(default="", max_length=2000)


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """share: of the side's calls; None where that says nothing."""

    text: str
    on_trial: int
    published: int
    shares: tuple[float, float] | None
    is_bad: bool = False


async def show_trial(call: PageCall) -> Shown:
    async with call.connection() as conn:
        return await _page(conn, call, {})


async def _page(conn: Conn, call: PageCall[Any, Any], more: dict[str, Any]) -> Shown:
    seen = await see_draft(conn, call.account.id)
    found = await trials.compared(conn, call.account.id)
    values = {
        "seen": seen,
        "tab": "versions",
        "found": found,
        "rows": rows_of(found, call.texts) if found else [],
        "part": trial_part(call.texts, found.trial.trial) if found else "",
        "may_publish": call.may("admin"),
        "error": "",
        "why": "",
    }
    return Shown("matrix/trial.html", {**values, **more}, status=422 if more else 200)


def rows_of(found: ComparedTrial, texts: Texts) -> list[ComparedRow]:
    sides = found.figures.on_trial, found.figures.published
    rows = [_figure(name, sides, texts) for name in _FIGURES]
    for state in ("done", "failed", "waiting"):
        counts = [getattr(side, state) for side in sides]
        for what in ORDER_KINDS:
            if any(what in count for count in counts):
                name = _name(state, what, texts)
                one, other = (count.get(what, 0) for count in counts)
                rows.append(ComparedRow(name, one, other, _shares(one, other, sides), state == "failed"))
    return rows


def _name(state: str, what: str, texts: Texts) -> str:
    """Return what a count of this kind of order is of: of those that are done as it is told elsewhere, of others as what is to be
    done."""
    counted = texts.word("order.count", what)
    if state == "done":
        return counted[:1].upper() + counted[1:]
    key = f"matrix.page.do.{what}"
    said = texts.say(key) if key in texts.sentences else counted
    return texts.say(f"matrix.page.figure.{state}", what=said[:1].lower() + said[1:])


def _figure(name: str, sides: tuple[SideFigures, SideFigures], texts: Texts) -> ComparedRow:
    one, other = (getattr(side, name) for side in sides)
    shares = None if name in ("calls", "clients") else _shares(one, other, sides)
    return ComparedRow(texts.say(f"matrix.page.figure.{name}"), one, other, shares)


def _shares(one: int, other: int, sides: tuple[SideFigures, SideFigures]) -> tuple[float, float]:
    return one / max(sides[0].calls, 1), other / max(sides[1].calls, 1)


async def end_trial(call: PageCall[PageQuery, TrialEndForm]) -> SeeOther | Shown:
    form = call.form
    async with call.connection() as conn:
        if len(form.why.strip()) < 3:
            return await _page(conn, call, {"error": call.texts.say("matrix.page.say-why"), "why": form.why})
        ended = await trials.end(
            conn, call.account.id, outcome=form.outcome, by=call.who.name, why=form.why.strip()
        )
    said = phrase(f"matrix.page.trial-{form.outcome}", version=str(ended.version))
    return SeeOther(call.here("/matrix/versions"), said=said)
