"""The journal: find that call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm.store.clients import clients_of_deal, names_of_numbers, numbers_named
from gateway.admin.calls.journal import CallsAsked, call_filter
from gateway.admin.refused import InputRefused
from gateway.store.admin.staff import staff_of
from gateway.store.calls.journal import (
    CallCounts,
    CallFilter,
    count_newer,
    count_of,
    page_of,
    place_of,
    writes_of,
)
from gateway.web.calls.journal.filters import filter_chips
from gateway.web.calls.journal.lines import CallLine, ReadBeside, lines_of
from gateway.web.calls.journal.query import (
    JournalAsked,
    JournalQuery,
    address_of,
    place_read,
    place_text,
    read_query,
)
from gateway.web.calls.seen import of_oneself
from gateway.web.frame import PageCall, Shown
from gateway.web.words.phones import SEEN_AT_THE_END
from routing.client_work.values import CallRow
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

PAGE = 50
MOST_COUNTED = 10_000
_DIGITS_OF_A_DEAL = range(4, 13)
_LONGEST_END = 7

JournalCall = PageCall[JournalQuery, None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The query as a filter. None: nothing can be seen. problems: (filter, what was sent) that are none."""

    asked: JournalAsked
    filter: CallFilter | None
    problems: tuple[tuple[str, str], ...] = ()


async def wanted_calls(call: JournalCall, conn: Conn) -> Wanted:
    """Return what the address asks for. A filter that nothing can be is named and left out."""
    asked = read_query(call.query, call.now, call.zone)
    policy = call.services.configuration.now.policy_of(call.account.id)
    values, problems = dict(asked.values), list(asked.problems)
    text = values.pop("q", None)
    own = of_oneself(call, _in_the_words_of_the_journal(asked, values))
    while own is not None:
        try:
            found = await call_filter(conn, call.account, policy, own)
        except InputRefused as err:
            problems.append((_PAGE_NAME.get(err.field, err.field), str(getattr(own, err.field))[:40]))
            own = replace(own, **{err.field: None})
            continue
        if text:
            found = await _searched(
                conn, call.account.id, policy, found, text, sees_numbers=call.who.sees_numbers
            )
        return Wanted(asked, found, tuple(problems))
    return Wanted(asked, None, tuple(problems))


_PAGE_NAME = {"employee": "person", "connection": "pbx"}


def _in_the_words_of_the_journal(asked: JournalAsked, values: Mapping[str, str]) -> CallsAsked:
    named: dict[str, Any] = {
        {"person": "employee", "pbx": "connection"}.get(name, name): value for name, value in values.items()
    }
    return CallsAsked(since=asked.since, until=asked.until, **named)


async def _searched(
    conn: Conn, account_id: str, policy: NumberPolicy, wanted: CallFilter, text: str, *, sees_numbers: bool
) -> CallFilter:
    """Search by a number in any spelling, by a deal's number, by the last digits of a number, or by a name.

    sees_numbers: else only the digits that are shown are looked at: what is hidden must not be found out by trying."""
    end = _LONGEST_END if sees_numbers else SEEN_AT_THE_END
    number = normalise(text, policy)
    if isinstance(number, PublicNumber):
        if sees_numbers:
            return replace(wanted, clients=(number.e164,))
        return replace(wanted, client_end=number.e164[-end:])
    digits = text.lstrip("#№ ")
    if not (digits.isascii() and digits.isdigit()):
        return replace(wanted, clients=await numbers_named(conn, account_id, text))
    if len(digits) in _DIGITS_OF_A_DEAL:
        clients = tuple(c.number for c in await clients_of_deal(conn, account_id, digits) if c.number)
        if clients:
            return replace(wanted, clients=clients)
    return replace(wanted, client_end=digits[-end:])


async def journal(call: JournalCall) -> Shown:
    async with call.connection() as conn:
        wanted = await wanted_calls(call, conn)
        values: dict[str, Any] = {"wanted": wanted, "place_text": place_text, "lines": [], "counts": None}
        if wanted.filter is not None:
            values |= await _page(call, conn, wanted, wanted.filter)
        values["chips"] = await filter_chips(call, conn, wanted.asked)
    asked = wanted.asked
    values["sought"] = call.query.q or ""
    values["params"] = address_of(asked, call.query)
    values["link"] = call.services.settings.base_url.rstrip("/") + call.here("/calls", **values["params"])
    return Shown("calls/journal.html", values)


async def _page(call: JournalCall, conn: Conn, wanted: Wanted, of: CallFilter) -> dict[str, Any]:
    after, before = place_read(call.query.after), place_read(call.query.before)
    towards = "newer" if before else "older"
    rows = await page_of(
        conn,
        call.account.id,
        of,
        towards="newer" if before else "older",
        place=before or after,
        limit=PAGE + 1,
    )
    has_more, rows = len(rows) > PAGE, rows[:PAGE]
    if before:
        rows.reverse()
    if has_more or after or before:
        counts = await count_of(conn, call.account.id, of, at_most=MOST_COUNTED)
    else:  # what is rare was looked for in all that there is: not once more to count it
        counts = _counted(rows)
    first = _first(call.query.at, counts)
    is_top = (not after and not before) or (towards == "newer" and not has_more)
    return {
        "lines": await shown_lines(call, conn, rows),
        "counts": counts,
        "first": 1 if is_top else first,
        "newer": _newer(call, wanted, rows, first, is_top=is_top),
        "older": _older(
            call, wanted, rows, 1 if is_top else first, is_end=towards == "older" and not has_more
        ),
        "top": place_text(place_of(rows[0])) if rows and is_top else "",
        "week": None if rows else await _other_days(call, conn, wanted, of),
    }


def _counted(rows: Sequence[CallRow]) -> CallCounts:
    answered = sum(row.call.is_answered for row in rows)
    missed = sum(row.call.is_over and not row.call.is_answered for row in rows)
    return CallCounts(len(rows), answered, missed, False)


def _first(text: str | None, counts: CallCounts) -> int:
    return min(int(text), counts.calls) if text and text.isascii() and text.isdigit() and len(text) < 9 else 1


def _newer(call: JournalCall, wanted: Wanted, rows: Sequence[CallRow], first: int, *, is_top: bool) -> str:
    if is_top or not rows:
        return ""
    params = address_of(
        wanted.asked, call.query, before=place_text(place_of(rows[0])), at=max(1, first - PAGE)
    )
    return call.here("/calls", **params)


def _older(call: JournalCall, wanted: Wanted, rows: Sequence[CallRow], first: int, *, is_end: bool) -> str:
    if is_end or not rows:
        return ""
    params = address_of(wanted.asked, call.query, after=place_text(place_of(rows[-1])), at=first + len(rows))
    return call.here("/calls", **params)


async def _other_days(call: JournalCall, conn: Conn, wanted: Wanted, of: CallFilter) -> CallCounts | None:
    """Return how many there are in a week where today has none."""
    if wanted.asked.period != "today":
        return None
    since = read_query(JournalQuery(period="week"), call.now, call.zone).since
    return await count_of(conn, call.account.id, replace(of, since=since), at_most=MOST_COUNTED)


async def shown_lines(call: PageCall[Any, Any], conn: Conn, rows: Sequence[CallRow]) -> list[CallLine]:
    beside = ReadBeside(
        names=await names_of_numbers(conn, call.account.id, {row.client for row in rows if row.client}),
        writes=await writes_of(conn, call.account.id, [row.call_id for row in rows]),
        staff=await staff_of(conn, call.account.id),
    )
    await asyncio.sleep(0)
    return lines_of(rows, beside, call.words)


async def new_calls(call: JournalCall) -> Shown:
    """Answer the bar that says how many came meanwhile. after: the newest call that the page shows."""
    place, count = place_read(call.query.after), 0
    async with call.connection() as conn:
        wanted = await wanted_calls(call, conn)
        if wanted.filter is not None and place is not None:
            count = await count_newer(conn, call.account.id, wanted.filter, place)
    params = address_of(wanted.asked, call.query)
    return Shown("calls/_new.html", {"count": count, "params": params, "top": call.query.after or ""})
