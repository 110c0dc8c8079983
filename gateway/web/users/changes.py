"""The tab of the record of changes: who changed what, when and from where, as a difference in words."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from aiohttp import web

from crm.store.metadata import pipelines_of
from gateway.store.admin.audit import AUDIT_KINDS, AuditEntry, AuditFilter, audit_entries
from gateway.store.admin.staff import stored_employees
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, Shown
from gateway.web.setup.tabs import tabs_of
from gateway.web.users.change_words import NOTHING, ChangeWords
from gateway.web.words.spreadsheet import no_formula
from routing.texts.catalogue import LANGUAGES, Texts
from runtime.database.pool import Conn

CHANGES = "/setup/audit"
_IN_WORDS = "changed."
"""Begins the names of fields that say what was changed, each in one language."""
_LOOKS_ONLY = ("distribution_simulation",)
"""Kinds that change nothing and come with every look at a form: shown to who asks for them."""
_PAGE, _CSV_PAGE, _MOST_CSV_ROWS = 50, 1000, 100_000


class ChangesQuery(PageQuery):
    """since, until: days, the last one whole. after: the number of the last entry of the page before."""

    who: str = ""
    what: str = ""
    since: date | None = None
    until: date | None = None
    after: int | None = None


class ChangedPart(NamedTuple):
    """kind: changed, added or removed. before, after: in words, "" = there is none."""

    kind: str
    where: str
    before: str
    after: str


async def show_changes(call: PageCall[ChangesQuery, None]) -> Shown:
    query = call.query
    async with call.connection() as conn:
        found = await audit_entries(conn, _wanted(call), limit=_PAGE + 1)
        shown = found[:_PAGE]
        said = await _words_of(conn, call, shown)
    chosen = {"who": query.who, "what": query.what, "since": query.since, "until": query.until}
    values = {
        "tabs": tabs_of(call, "audit"),
        "entries": [
            (
                one,
                _title(one, call.texts),
                said[one.account_id].object(one),
                parts_of(one, said[one.account_id]),
            )
            for one in shown
        ],
        "query": query,
        "kinds": [("", call.texts.say("audit.any_kind")), *_kinds(call.texts)],
        "is_filtered": any(chosen.values()),
        "csv": call.here(CHANGES + ".csv", **chosen),
        "newest": call.here(CHANGES, **chosen) if query.after is not None else "",
        "older": call.here(CHANGES, **chosen, after=shown[-1].seq) if len(found) > _PAGE else "",
    }
    return Shown("users/changes.html", values)


async def _words_of(
    conn: Conn, call: AnyPageCall, entries: Sequence[AuditEntry]
) -> dict[str | None, ChangeWords]:
    """By account: people are called as they are called today; who is gone keeps their id."""
    accounts = {id: one.name for id, one in call.services.configuration.now.accounts.items()}
    found = {}
    for account_id in {one.account_id for one in entries}:
        people = await stored_employees(conn, account_id) if account_id else ()
        pipelines = await pipelines_of(conn, account_id) if account_id else ()
        found[account_id] = ChangeWords(
            call.texts,
            call.words,
            {person.id: person.name for person in people},
            accounts,
            {p.id: p.name for p in pipelines} | {s.id: s.name for p in pipelines for s in p.stages},
        )
    return found


async def changes_csv(call: PageCall[ChangesQuery, None]) -> web.Response:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if call.texts.language == "ru" else ",")
    columns = ("at", "who", "door", "address", "what", "object", "action", "difference")
    writer.writerow([call.texts.say(f"audit.column.{name}") for name in columns])
    async for entries in _all(call):
        async with call.connection() as conn:
            said = await _words_of(conn, call, entries)
        for entry in entries:
            writer.writerow([no_formula(cell) for cell in _cells(entry, call, said[entry.account_id])])
    return web.Response(
        body=out.getvalue().encode("utf-8-sig"),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment;filename="changes.csv"'},
    )


async def _all(call: PageCall[ChangesQuery, None]) -> AsyncIterator[Sequence[AuditEntry]]:
    wanted, count = _wanted(call), 0
    while count < _MOST_CSV_ROWS:
        async with call.connection() as conn:
            found = await audit_entries(conn, wanted, limit=_CSV_PAGE)
        yield found
        if len(found) < _CSV_PAGE:
            return
        count += len(found)
        wanted = _older(wanted, found[-1].seq)


def _older(wanted: AuditFilter, seq: int) -> AuditFilter:
    return AuditFilter(
        account_id=wanted.account_id,
        what=wanted.what,
        who=wanted.who,
        since=wanted.since,
        until=wanted.until,
        before=seq,
        without=wanted.without,
    )


def _cells(entry: AuditEntry, call: AnyPageCall, said: ChangeWords) -> Sequence[str]:
    texts = call.texts
    return (
        entry.at.astimezone(call.zone).strftime("%Y-%m-%d %H:%M:%S"),
        entry.who,
        texts.word("audit.door", entry.door.replace("-", "_")),
        entry.address,
        kind_said(entry.what, texts),
        said.object(entry),
        action_said(entry.action, texts),
        "; ".join(f"{part.where}: {part.before} → {part.after}" for part in parts_of(entry, said)),
    )


def _wanted(call: PageCall[ChangesQuery, None]) -> AuditFilter:
    query = call.query
    return AuditFilter(
        account_id=call.who.bound.account_id,
        who=query.who.strip() or None,
        what=query.what or None,
        since=_midnight(query.since, call),
        until=_midnight(query.until + timedelta(days=1), call) if query.until else None,
        before=query.after,
        without=() if query.what else _LOOKS_ONLY,
    )


def _midnight(day: date | None, call: AnyPageCall) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=call.zone) if day else None


def _kinds(texts: Texts) -> list[tuple[str, str]]:
    return sorted(((kind, kind_said(kind, texts)) for kind in AUDIT_KINDS), key=lambda pair: pair[1])


def _title(entry: AuditEntry, texts: Texts) -> str:
    return f"{kind_said(entry.what, texts)}: {action_said(entry.action, texts)}"


def kind_said(what: str, texts: Texts) -> str:
    return _said("audit.kind", what, texts)


def action_said(action: str, texts: Texts) -> str:
    return _said("audit.action", action, texts)


def _said(prefix: str, code: str, texts: Texts) -> str:
    """Return the words for a code; one of another version is shown as it is."""
    key = f"{prefix}.{code.replace(' ', '_').replace('-', '_')}"
    return texts.say(key) if key in texts.sentences else code


def parts_of(entry: AuditEntry, said: ChangeWords) -> list[ChangedPart]:
    """Return what differs, a line each."""
    names = {**(entry.before or {}), **(entry.after or {})}
    others = tuple(f"{_IN_WORDS}{language}" for language in LANGUAGES if language != said.texts.language)
    return [
        _part(entry, name, said)
        for name in names
        if name not in others
        and any(of.get(name) not in NOTHING for of in (entry.before or {}, entry.after or {}))
    ]


def _part(entry: AuditEntry, name: str, said: ChangeWords) -> ChangedPart:
    before, after = entry.before or {}, entry.after or {}
    is_both = name in before and name in after
    kind = "changed" if is_both else "removed" if name in before else "added"
    if entry.what == "channel" and entry.action == "shared":  # rights, by employee
        old, new = (said.right(of[name]) if name in of else "" for of in (before, after))
        return ChangedPart(kind, said.people.get(name, name), old, new)
    old = said.value(name, before[name]) if name in before else ""
    new = said.value(name, after[name]) if name in after else ""
    field = "changed" if name.startswith(_IN_WORDS) else name
    return ChangedPart(kind, said.field(entry.what, field), old, new)
