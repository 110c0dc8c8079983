"""What was given, to whom and why: the list with its filters, and the log of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from gateway.admin.distribution.results import ItemInWords, decisions_of, in_words
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.items import ItemRow, ItemSource, ItemState, item_of
from gateway.store.distribution.listing import ItemFilter, listed_items
from gateway.store.distribution.templates import template_names
from gateway.web.distribution.log_steps import log_steps
from gateway.web.distribution.tabs import tabs
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, Shown, page_not_found
from gateway.web.words.sorting import by_name

_ROWS = 50
_SPANS: Mapping[str, timedelta] = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
STATES: tuple[ItemState, ...] = get_args(ItemState)
SOURCES: tuple[ItemSource, ...] = get_args(ItemSource)
_TONES: Mapping[ItemState, str] = {"given": "good", "kept": "good", "waiting": "warn", "failed": "bad"}


class ResultsQuery(PageQuery):
    """before: of the page before, the moment and the id of its last row. deal: its id in the CRM."""

    template: str | None = None
    state: ItemState | None = None
    source: ItemSource | None = None
    employee: str | None = None
    deal: str | None = None
    span: Literal["day", "week", "month", "all"] = "week"
    before_at: datetime | None = None
    before_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """url: of the deal in the CRM."""

    shown: ItemInWords
    tone: str
    url: str


async def results(call: PageCall[ResultsQuery, None]) -> Shown:
    query = call.query
    async with call.connection() as conn:
        staff = await staff_of(conn, call.account.id)
        items = await listed_items(conn, call.account.id, _filter(call), limit=_ROWS + 1)
        templates = await template_names(conn, [call.account.id])
    allowed = call.who.bound.templates
    shown = [_line(call, in_words(item, staff, call.texts)) for item in items[:_ROWS]]
    people = sorted(((p.id, p.name) for p in staff.employees), key=lambda person: by_name(person[1]))
    return Shown(
        "distribution/_results.html" if call.is_fragment else "distribution/results.html",
        {
            "query": query,
            "lines": shown,
            "last": items[_ROWS - 1] if len(items) > _ROWS else None,
            "templates": [
                (t, t) for t in sorted((t for t in templates if not allowed or t in allowed), key=by_name)
            ],
            "people": people,
            "states": [(one, call.texts.say(f"distribution.state.{one}")) for one in STATES],
            "sources": [(one, call.texts.say(f"distribution.source.{one}")) for one in SOURCES],
            "tabs_shown": tabs(call, "results"),
            "is_filtered": query.model_dump(exclude_defaults=True) != {},
        },
    )


async def waiting(call: PageCall) -> Shown:
    """Show what nobody has yet, the longest first."""
    wanted = ItemFilter(state="waiting", templates=call.who.bound.templates or None)
    async with call.connection() as conn:
        staff = await staff_of(conn, call.account.id)
        items = await listed_items(conn, call.account.id, wanted, limit=200)
    lines = [_line(call, in_words(item, staff, call.texts)) for item in reversed(items)]
    template = "distribution/_waiting.html" if call.is_fragment else "distribution/waiting.html"
    return Shown(template, {"lines": lines, "tabs_shown": tabs(call, "waiting")})


async def log(call: PageCall) -> Shown:
    """Show how one was decided, step by step, each time that it was looked at."""
    async with call.connection() as conn:
        item = await item_of(conn, call.account.id, call.path["item"])
        if item is None or not _may_see(call, item):
            raise page_not_found("result")
        staff = await staff_of(conn, call.account.id)
        decisions = await decisions_of(conn, call.account.id, item, call.texts.language, call.services.url_of)
    line = _line(call, in_words(item, staff, call.texts))
    rounds = [{**told, "steps": log_steps(told["steps"], staff, call.texts)} for told in decisions]
    return Shown("distribution/log.html", {"line": line, "rounds": rounds})


def _filter(call: PageCall[ResultsQuery, None]) -> ItemFilter:
    query = call.query
    span = _SPANS.get(query.span)
    is_placed = query.before_at is not None and query.before_id is not None
    return ItemFilter(
        template=query.template,
        templates=call.who.bound.templates or None,
        entity_id=query.deal,
        source=query.source,
        state=query.state,
        employee_id=query.employee,
        since=call.now - span if span else None,
        after=(query.before_at, query.before_id) if is_placed else None,  # type: ignore[arg-type]
    )


def _may_see(call: AnyPageCall, item: ItemRow) -> bool:
    return call.may("read_only", template=item.template)


def _line(call: AnyPageCall, shown: ItemInWords) -> ResultLine:
    item = shown.item
    url = call.services.url_of(item.account_id, "deal", item.entity_id) if item.kind != "call" else ""
    return ResultLine(shown=shown, tone=_TONES.get(item.state, ""), url=url)
