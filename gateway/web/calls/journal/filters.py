"""The filters of the journal as chips: what is chosen, what can be, and the address without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.store.admin.staff import staff_of
from gateway.web.calls.journal.query import CHOICES, PERIODS, JournalAsked, JournalQuery, address_of
from gateway.web.calls.seen import own_calls_only
from gateway.web.frame import PageCall
from gateway.web.words.sorting import by_name
from routing.lookup.reasons import REASONS
from routing.matrix.model import ROWS
from routing.matrix.texts import row_phrase
from routing.texts.catalogue import Phrase, Texts
from runtime.database.pool import Conn

_JournalCall = PageCall[JournalQuery, None]
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chip:
    """value: what is chosen, in words, "" = any. options: (value, words), without "any"."""

    name: str
    value: str
    chosen: str
    clear: str
    options: Options


async def filter_chips(call: _JournalCall, conn: Conn, asked: JournalAsked) -> list[Chip]:
    connections = [
        c for c in call.services.configuration.now.connections.values() if c.account_id == call.account.id
    ]
    lines = sorted({line for c in connections for line in c.lines})
    texts = call.texts
    options: dict[str, Options] = {
        "direction": _words("calls.direction", CHOICES["direction"], texts),
        "result": _words("calls.outcome", CHOICES["result"], texts),
        "line": [(line, call.words.phone(line)) for line in lines],
    }
    if len(connections) > 1:
        options["pbx"] = [(c.name, c.name) for c in connections]
    if not own_calls_only(call):
        people = (await staff_of(conn, call.account.id)).employees
        options["person"] = [(p.id, p.name) for p in sorted(people, key=lambda p: by_name(p.name))]
    options["reason"] = [(r, texts.word("why.badge", r)) for r in REASONS]
    options["kind"] = [(row, _row(row, texts)) for row in ROWS]
    options["writes"] = _words("calls.writes-are", CHOICES["writes"], texts)
    return [_period(call, asked), *[_chip(call, asked, name, found) for name, found in options.items()]]


def _row(row: str, texts: Texts) -> str:
    said = row_phrase(row)
    return texts.render(said) if isinstance(said, Phrase) else said


def _words(prefix: str, values: Sequence[str], texts: Texts) -> Options:
    return [(value, texts.say(f"{prefix}.{value}")) for value in values]


def _chip(call: _JournalCall, asked: JournalAsked, name: str, options: Options) -> Chip:
    chosen = asked.values.get(name, "")
    said = dict(options).get(chosen, chosen)
    value = call.texts.say("calls.filter.set", name=call.texts.say(f"calls.filter.{name}"), value=said)
    return Chip(name, value if chosen else "", chosen, _without(call, asked, name), options)


def _period(call: _JournalCall, asked: JournalAsked) -> Chip:
    """All is no filter; today is set like any other."""
    texts = call.texts
    if asked.period == "range":
        value = _range(call, asked)
    else:
        value = "" if asked.period == "all" else texts.say(f"calls.period.{asked.period}")
    kept = address_of(asked, call.query, since=None, until=None, period="all")
    options = _words("calls.period", PERIODS, texts)
    return Chip("period", value, asked.period, call.here("/calls", **kept), options)


def _range(call: _JournalCall, asked: JournalAsked) -> str:
    since = call.words.day(asked.since) if asked.since else ""
    until = call.words.day(asked.until - timedelta(hours=12)) if asked.until else ""
    if since and until:
        return since if since == until else f"{since} – {until}"
    return (
        call.texts.say("calls.period.since", day=since)
        if since
        else call.texts.say("calls.period.until", day=until)
    )


def _without(call: _JournalCall, asked: JournalAsked, name: str) -> str:
    return call.here("/calls", **address_of(asked, call.query, **{name: None}))
